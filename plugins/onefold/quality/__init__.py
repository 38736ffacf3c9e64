"""The Great Expectations gate and the quarantine."""
