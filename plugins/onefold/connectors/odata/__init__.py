"""OData services."""
