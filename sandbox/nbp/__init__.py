"""The central bank's exchange rates."""
