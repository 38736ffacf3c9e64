"""OData services as targets, versions 2 and 4."""
