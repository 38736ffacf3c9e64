"""The court register of companies."""
