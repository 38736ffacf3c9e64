"""The European Union's VAT number check."""
