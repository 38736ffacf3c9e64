"""The one way out to other systems."""
