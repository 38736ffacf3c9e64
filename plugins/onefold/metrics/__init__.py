"""Metrics for Prometheus: read from the ledger when they are asked for, so that they are right after every restart and
with any number of workers."""
