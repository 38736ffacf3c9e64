"""The public administration's mailbox."""
