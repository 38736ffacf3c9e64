"""The console: pages inside Airflow's UI that show engineers, analysts and auditors what the warehouse knows."""
