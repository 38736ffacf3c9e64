"""The version of a record that has none of its own: a hash of its fields as they were read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from onefold.connectors.outbound.contract import Value

DIGITS = 32
"""Of the hash: 128 bits."""


def fields_version(fields: Mapping[str, Value]) -> str:
    """The same for the same values, whatever their order; NULL is not the empty text."""
    content = [[name, None if value is None else [type(value).__name__, str(value)]] for name, value in fields.items()]
    return hashlib.sha256(msgspec.json.encode(sorted(content, key=str))).hexdigest()[:DIGITS]
