"""Webhooks: what senders have posted, read from the inbox in the warehouse."""
