"""One module per system: what the suite must know of its streams."""
