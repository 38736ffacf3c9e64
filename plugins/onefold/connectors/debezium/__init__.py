"""Debezium's change events: their envelope, their order, and how they write a database's values."""
