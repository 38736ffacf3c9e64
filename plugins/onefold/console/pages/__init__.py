"""One module a page: what it asks and which template shows it."""
