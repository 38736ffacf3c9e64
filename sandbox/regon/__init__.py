"""The statistical register of companies."""
