"""A draft from an OData service's $metadata (EDMX, versions 2 to 4): each entity set that can be listed is a stream."""
