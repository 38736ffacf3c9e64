"""How a system lets an HTTP client in: one class a kind (docs/sign-in.md)."""
