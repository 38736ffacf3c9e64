"""The register of beneficial owners."""
