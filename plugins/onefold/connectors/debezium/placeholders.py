"""What Debezium writes in place of a large value that did not change, which PostgreSQL's log does not repeat."""

from __future__ import annotations

import base64
import hashlib
import uuid

import msgspec

_WORD = "__debezium_unavailable_value"
"""Its setting unavailable.value.placeholder, as it is where nobody has set it."""


def _written() -> frozenset[bytes]:
    word = _WORD.encode()
    of_bytes = base64.b64encode(word).decode()
    of_uuid = str(uuid.UUID(bytes=hashlib.md5(word, usedforsecurity=False).digest(), version=3))
    pair = {_WORD: _WORD}
    forms = (_WORD, of_bytes, word.hex(), pair, msgspec.json.encode(pair).decode(), [_WORD], [of_uuid], list(word))
    return frozenset(map(msgspec.json.encode, forms))


_FORMS = _written()
"""Of text, bytes (two ways), maps (two ways), and arrays of text, of identifiers and of numbers."""
_LONGEST = max(map(len, _FORMS))


def is_unavailable(value: bytes) -> bool:
    """Whether this JSON stands for a value that is not in the event."""
    return len(value) <= _LONGEST and value in _FORMS
