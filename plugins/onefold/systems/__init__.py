"""Only what YAML cannot say about one system: one small module each."""
