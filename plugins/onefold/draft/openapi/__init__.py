"""A draft from an OpenAPI 3 or Swagger 2 description (JSON or YAML): every operation that answers a list of objects."""
