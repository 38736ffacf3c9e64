"""Onefold: many systems, one record."""

__version__ = "0.1.0"
