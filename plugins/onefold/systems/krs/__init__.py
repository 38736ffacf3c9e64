"""KRS, the Polish court register."""
