"""What is installed, pinned with hashes, and what looks at it from outside."""
