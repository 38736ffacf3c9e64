"""Files that a source leaves in a folder or in a bucket."""
