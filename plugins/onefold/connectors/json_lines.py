"""Records as lines of JSON, also those that stand in each other more often than the encoder follows.

XML is read without recursion and may have any depth. As JSON such a record is what a JSON source would have sent: it
goes to quarantine as it is, and no other one does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

_encoder = msgspec.json.Encoder()


def json_lines(rows: Sequence[Mapping[str, object]]) -> bytes:
    """One line a row. Raises what the encoder does but for RecursionError: UnicodeEncodeError for half a surrogate."""
    try:
        return _encoder.encode_lines(rows)
    except RecursionError:
        return b"".join(json_line(row) + b"\n" for row in rows)


def json_line(row: Mapping[str, object]) -> bytes:
    """The row as JSON on one line, without its end; as json_lines."""
    try:
        return _encoder.encode(row)
    except RecursionError:
        return b"".join(_pieces(row))


def _pieces(row: Mapping[str, object]) -> Iterator[bytes]:
    """The JSON of a row of any depth, piece by piece, without recursion."""
    around: list[Iterator[tuple[bytes, object]]] = [iter([(b"", row)])]
    ends = [b""]
    while around:
        before, value = next(around[-1], (b"", around))
        if value is around:  # nothing is left in this one
            around.pop()
            yield ends.pop()
            continue
        yield before
        if isinstance(value, Mapping):
            yield b"{"
            ends.append(b"}")
            around.append(_members(value))
        elif isinstance(value, list):
            yield b"["
            ends.append(b"]")
            around.append((b"," if place else b"", each) for place, each in enumerate(value))
        else:
            yield _encoder.encode(value)


def _members(value: Mapping[str, object]) -> Iterator[tuple[bytes, object]]:
    for place, (name, each) in enumerate(value.items()):
        yield (b"," if place else b"") + _encoder.encode(name) + b":", each
