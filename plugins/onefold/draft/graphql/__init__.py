"""A draft from a GraphQL schema (SDL, introspection, or the endpoint itself): each connection and list is a stream."""
