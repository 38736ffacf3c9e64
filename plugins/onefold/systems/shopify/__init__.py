"""Shopify's GraphQL Admin API: what it has beyond GraphQL, the price of queries and bulk operations."""
