"""SOAP services as targets."""
