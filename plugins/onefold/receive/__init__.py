"""Receives webhooks: checks who has sent them, stores them in the inbox, and only then answers (docs/webhooks.md)."""
