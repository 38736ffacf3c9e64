"""Replay: quarantined rows are judged again, once a suite, a mapping or a stream's YAML has been mended."""
