"""Reads and checks catalog/: what is integrated."""
