"""First drafts of a system's YAML, from the source's own description of itself."""
