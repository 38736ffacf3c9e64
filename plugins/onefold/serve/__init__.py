"""The register API: what is known of companies, for applications (bin/onefold api; docs/api.md)."""
