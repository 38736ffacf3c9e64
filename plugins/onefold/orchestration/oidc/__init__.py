"""People sign in at the company's own identity provider (OpenID Connect), by Airflow's FAB auth manager."""
