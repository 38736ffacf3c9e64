"""What the DAGs' tasks do, a module per DAG: they read Airflow's context, call the engine, and give its errors on."""
