"""REST interfaces as targets, by their YAML alone."""
