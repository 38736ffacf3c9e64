"""Connectors out: one contract (contract.py), one registry, a module or folder per protocol. Each writes records."""
