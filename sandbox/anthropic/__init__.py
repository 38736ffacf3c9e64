"""Anthropic's usage and cost reports."""
