"""GitHub: what it posts to a repository's webhook."""
