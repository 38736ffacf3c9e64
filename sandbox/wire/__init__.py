"""Wire formats that several stand-ins share."""
