"""KSeF 2.0, Poland's national system of e-invoices."""
