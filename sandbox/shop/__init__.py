"""Shopify's GraphQL Admin API."""
