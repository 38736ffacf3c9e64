"""Connectors: one contract (connector.py), one registry, a folder per protocol. Each reads pages of records."""
