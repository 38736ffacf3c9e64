"""A Polish ERP's database."""
