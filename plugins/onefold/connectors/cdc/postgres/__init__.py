"""A PostgreSQL's log: its publication and slot, the snapshot, and the changes that follow it."""
