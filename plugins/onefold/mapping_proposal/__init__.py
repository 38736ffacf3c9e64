"""Proposes which attribute each field of a system is, by names, values and what is mapped already; without a model."""
