"""Bank statements, costs and invoices as files in a folder and in a bucket."""
