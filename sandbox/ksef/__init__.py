"""The national e-invoice system."""
