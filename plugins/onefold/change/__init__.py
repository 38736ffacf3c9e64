"""A change of the catalogue, planned against the live warehouse and then applied, or refused because something moved."""
