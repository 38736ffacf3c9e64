"""The installation on one machine: embedded PostgreSQL, Airflow, the sandbox; up, down and status."""
