"""Language models as a governed client: off by default, within a budget, audited, and never told a personal value."""
