"""Turns the mapping catalogue into dbt models, tests, ops.mapping and lineage."""
