"""The events of the log of MariaDB and MySQL (MySQL, "Binary Log Event"; MariaDB, "Replication Protocol").

A table's rows come after a TableMap event that describes the table; each transaction comes whole, after its commit and
in the order of the commits.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct

from onefold.errors import Fatal


class Kind(IntEnum):
    """Kinds of events that count here."""

    QUERY = 2
    ROTATE = 4
    FORMAT = 15
    XID = 16
    LOAD_QUERY = 18
    TABLE_MAP = 19
    INCIDENT = 26
    GTID = 33
    GTID_NONE = 34
    XA_PREPARE = 38
    PARTIAL_UPDATE = 39
    PAYLOAD = 40
    GTID_TAGGED = 42
    GTID_MARIADB = 162
    QUERY_COMPRESSED = 165


SAYS_NOTHING = frozenset({3, 5, 13, 14, 17, 27, 28, 29, 35, 36, 37, 41, 160, 161, 163, 164})
"""Kinds that say nothing about rows."""
INSERTS = frozenset({23, 30, 166, 169})
UPDATES = frozenset({24, 31, 167, 170})
DELETES = frozenset({25, 32, 168, 171})
ROWS = INSERTS | UPDATES | DELETES
_COMPRESSED = frozenset({166, 167, 168, 169, 170, 171})
_WITH_EXTRA = frozenset({30, 31, 32, 169, 170, 171})
_STANDALONE = 1
_NAMES, _SETS, _ENUMS = 4, 5, 6
_QUERY = Struct("<4x4xBHH")
_SHORT = Struct("<H")


@dataclass(frozen=True, slots=True)
class TableMap:
    """How the rows of a table look from here on: of each column its type, what belongs to the type, and its name; of
    each ENUM and each SET the members, in the column's character set."""

    id: int
    schema: str
    table: str
    kinds: bytes
    metas: tuple[int, ...]
    names: tuple[str, ...]
    enums: tuple[tuple[bytes, ...], ...]
    sets: tuple[tuple[bytes, ...], ...]


@dataclass(frozen=True, slots=True)
class RowImages:
    """Rows of a table that were inserted or deleted, or updated (then each before its change and after it): what an
    image has of the columns (bits), before and after, and the images."""

    before: int
    after: int
    width: int
    data: bytes


def table_id(body: bytes) -> int:
    """Of which table a TableMap or a rows event speaks."""
    return int.from_bytes(body[:6], "little")


def table_name(body: bytes) -> tuple[str, str, int]:
    """Schema and table of a TableMap event, and where its columns begin."""
    schema_end = 9 + body[8]
    table_end = schema_end + 2 + body[schema_end + 1]
    return body[9:schema_end].decode(), body[schema_end + 2 : table_end].decode(), table_end + 1


def table_map(body: bytes) -> TableMap:
    """The description of a table. `names` is empty where the server does not write them (binlog_row_metadata)."""
    schema, table, at = table_name(body)
    count, at = packed(body, at)
    kinds = body[at : at + count]
    size, at = packed(body, at + count)
    metas = _metas(kinds, body[at : at + size])
    at += size + (count + 7) // 8
    parts: dict[int, bytes] = {}
    while at < len(body):
        kind = body[at]
        size, at = packed(body, at + 1)
        parts[kind] = body[at : at + size]
        at += size
    names = tuple(each.decode() for each in _texts(parts.get(_NAMES, b"")))
    return TableMap(
        table_id(body), schema, table, bytes(_real_kinds(kinds, metas)), metas, names,
        _members(parts.get(_ENUMS, b"")), _members(parts.get(_SETS, b"")),
    )  # fmt: skip


def row_images(kind: int, body: bytes) -> RowImages:
    """The rows of an event."""
    at = 8
    if kind in _WITH_EXTRA:
        at += _SHORT.unpack_from(body, at)[0]
    width, at = packed(body, at)
    size = (width + 7) // 8
    before = after = int.from_bytes(body[at : at + size], "little")
    at += size
    if kind in UPDATES:
        after = int.from_bytes(body[at : at + size], "little")
        at += size
    data = _inflated(body[at:]) if kind in _COMPRESSED else body[at:]
    return RowImages(before, after, width, data)


@dataclass(frozen=True, slots=True)
class Query:
    """A statement, and the schema that names in it mean."""

    schema: str
    text: str


def query(kind: int, body: bytes) -> Query:
    """The statement of an event."""
    schema_size, _, variables = _QUERY.unpack_from(body)
    at = 13 + variables + (13 if kind == Kind.LOAD_QUERY else 0)
    schema = body[at : at + schema_size].decode(errors="replace")
    text = body[at + schema_size + 1 :]
    return Query(schema, (_inflated(text) if kind == Kind.QUERY_COMPRESSED else text).decode(errors="replace"))


def begins_transaction(body: bytes) -> bool:
    """Whether this event of MariaDB (GTID_MARIADB) begins a transaction that another one ends, and not one statement.
    (MySQL has a BEGIN for that.)"""
    return not body[12] & _STANDALONE


def packed(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where it ends."""
    first = data[at]
    if first < 251:
        return first, at + 1
    size = {252: 2, 253: 3, 254: 8}[first]
    return int.from_bytes(data[at + 1 : at + 1 + size], "little"), at + 1 + size


_META_SIZES = {
    **dict.fromkeys((4, 5, 17, 18, 19, 245, 249, 250, 251, 252, 255, 242, 140), 1),
    **dict.fromkeys((15, 16, 246, 247, 248, 253, 254, 141), 2),
}


def _metas(kinds: bytes, data: bytes) -> tuple[int, ...]:
    """What belongs to each column's type: two bytes in the order that they are written, of a VARCHAR the lower one
    first."""
    metas, at = [], 0
    for kind in kinds:
        size = _META_SIZES.get(kind, 0)
        metas.append(int.from_bytes(data[at : at + size], "little" if kind in (15, 16, 141) else "big"))
        at += size
    if at != len(data):
        raise Fatal(f"the log describes a table in a way that is not known here (types {kinds.hex()}): report it")
    return tuple(metas)


def _real_kinds(kinds: bytes, metas: tuple[int, ...]) -> list[int]:
    """ENUM and SET are written as strings whose first byte of what belongs to the type is the real one."""
    return [
        meta >> 8 if kind == 254 and meta >> 8 in (247, 248) else kind for kind, meta in zip(kinds, metas, strict=True)
    ]


def _texts(data: bytes) -> list[bytes]:
    texts, at = [], 0
    while at < len(data):
        size, at = packed(data, at)
        texts.append(data[at : at + size])
        at += size
    return texts


def _members(data: bytes) -> tuple[tuple[bytes, ...], ...]:
    columns, at = [], 0
    while at < len(data):
        count, at = packed(data, at)
        members = []
        for _ in range(count):
            size, at = packed(data, at)
            members.append(data[at : at + size])
            at += size
        columns.append(tuple(members))
    return tuple(columns)


def _inflated(data: bytes) -> bytes:
    """MariaDB's compressed part of an event: a byte whose lower three bits say how long the length is."""
    return zlib.decompress(data[1 + (data[0] & 7) :])
