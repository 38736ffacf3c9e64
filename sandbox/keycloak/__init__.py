"""Keycloak's admin REST API."""
