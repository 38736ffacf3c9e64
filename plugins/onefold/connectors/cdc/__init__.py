"""Change data capture: a database's own log of changes, read as loads whose windows are positions in it."""
