"""Delivers the conformed entities and the marts to other warehouses, where they change at one instant."""
