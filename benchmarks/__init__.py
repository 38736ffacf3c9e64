"""Measurements, each a ratio of two things done in turn in one run: `make bench`, or python -m benchmarks --help."""
