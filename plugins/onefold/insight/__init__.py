"""Read models: what the CLI, the console, the API and the metrics show, queried once."""
