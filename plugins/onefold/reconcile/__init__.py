"""Is the warehouse what the source has? Compares them, records what differs (ops.drift), and repairs on demand."""
