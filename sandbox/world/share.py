"""Which records are out of the ordinary: decided by a hash of their own key, so that no other record's draws move."""

import hashlib
import zlib
from collections.abc import Mapping


def share(purpose: str, key: object) -> float:
    """A number in [0, 1) that is the same for the same purpose and key, as f"{purpose}:{key}" hashes."""
    return zlib.crc32(f"{purpose}:{key}".encode()) / 2**32


def choice(purpose: str, key: object, shares: Mapping[str, float]) -> str | None:
    """One of the names, each for so large a share of all keys; None for the others."""
    place = int.from_bytes(hashlib.sha256(f"{purpose}:{key}".encode()).digest()[:6]) / 2**48
    for name, size in shares.items():
        place -= size
        if place < 0:
            return name
    return None
