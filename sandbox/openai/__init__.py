"""OpenAI's usage and cost reports."""
