"""Historical migrations: planned, rehearsed in a shadow, approved by a second person, published chunk by chunk."""
