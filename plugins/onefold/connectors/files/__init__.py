"""Sources that are files: in a folder, or in a bucket."""
