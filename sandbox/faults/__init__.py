"""Faults on demand: what they are, which are active, and what they do to an answer."""
