"""The register of Polish VAT payers."""
