"""The shop's till: it writes each order to a Redis stream."""
