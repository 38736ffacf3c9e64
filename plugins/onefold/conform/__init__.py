"""Runs dbt, gates the entities and publishes them at one instant."""
