"""Records → rows of COPY's binary format: the JSON bytes go in as they came, without decoding or escaping them."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from onefold.connectors.record import Record

_GONE = b"deleted"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SIX_COLUMNS = struct.pack("!h", 6)
_NULL = struct.pack("!i", -1)
_length = struct.Struct("!i").pack
_LENGTHS = tuple(_length(length) for length in range(256))
_ALIVE_HASH, _DELETED_HASH = (_length(1) + flag + _length(16) for flag in (b"\0", b"\1"))
_ROWS_PER_WRITE = 500


def record_hash(payload: bytes, deleted: bool) -> bytes:
    """16 bytes that differ when the record differs: its bytes as received, and whether it is deleted."""
    if deleted:
        return blake2b(payload, digest_size=16, person=_GONE).digest()
    return blake2b(payload, digest_size=16).digest()


def pack_rows(records: Sequence[Record], extracted_at: datetime) -> Iterator[bytes]:
    """The records as rows of COPY's binary format, in blocks of 500. Each has a key; raises ValueError otherwise."""
    at = struct.pack("!iq", 8, (extracted_at - _EPOCH) // _MICROSECOND)
    for first in range(0, len(records), _ROWS_PER_WRITE):
        yield _block(records[first : first + _ROWS_PER_WRITE], at)


def _block(records: Sequence[Record], at: bytes) -> bytes:
    """The records in COPY's binary format: six columns, each its length and its bytes (length -1: NULL).

    One loop with nothing called that need not be: this is what the speed of landing hangs on.
    """
    parts: list[bytes] = []
    for record in records:
        if record.key is None:
            raise ValueError("A record without a key is unreadable and is not landed as a row.")
        key, payload = record.key.encode(), record.payload
        cursor = record.cursor
        parts += (
            _SIX_COLUMNS,
            _LENGTHS[len(key)] if len(key) < 256 else _length(len(key)),
            key,
            _NULL if cursor is None else _LENGTHS[len(cursor)] + cursor.encode(),
            _DELETED_HASH if record.deleted else _ALIVE_HASH,
            record_hash(payload, record.deleted),
            at,
            _length(len(payload)),
            payload,
        )
    return b"".join(parts)
