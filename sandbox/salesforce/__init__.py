"""Salesforce: REST queries and Bulk API jobs."""
