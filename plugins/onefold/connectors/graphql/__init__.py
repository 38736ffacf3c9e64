"""GraphQL sources."""
