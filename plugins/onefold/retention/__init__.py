"""Deletes what nobody may or need keep any longer: see docs/data-protection.md."""
