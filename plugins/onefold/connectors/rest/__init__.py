"""REST services that answer JSON."""
