"""OpenBao or Vault: Airflow's secrets backend, and logins of the warehouse that live as long as their process."""

import importlib

importlib.import_module("airflow")  # before any module here: while it is imported it imports the backend that is set
