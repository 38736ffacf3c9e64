"""SOAP services."""
