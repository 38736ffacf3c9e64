"""A change of the catalogue: planned against the live warehouse, then applied, or refused because something moved."""
