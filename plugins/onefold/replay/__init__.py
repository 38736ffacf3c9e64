"""Replay: quarantined rows go through the gate again, after a suite, a mapping or a stream's YAML was fixed."""
