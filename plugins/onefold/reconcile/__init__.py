"""Is the warehouse what the source has? Compares them, keeps the differences (ops.drift), and repairs on demand."""
