"""Historical migrations: planned, gated in a dry run, approved by a second person, published chunk by chunk."""
