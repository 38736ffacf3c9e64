"""What the connected systems hold, before anything is integrated: a few pages of each, read and forgotten."""
