"""OpenBao or Vault: Airflow's secrets backend, and logins of the warehouse that live as long as their process."""
