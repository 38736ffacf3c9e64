"""What each integration costs: prices of the catalogue × what the ledger has metered, and budgets (docs/cost.md)."""
