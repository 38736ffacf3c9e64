"""Which records are out of the ordinary: decided by a hash of their own key, so that no other record's draws move."""

import zlib


def share(purpose: str, key: object) -> float:
    """A number in [0, 1) that is the same for the same purpose and key, as f"{purpose}:{key}" hashes."""
    return zlib.crc32(f"{purpose}:{key}".encode()) / 2**32
