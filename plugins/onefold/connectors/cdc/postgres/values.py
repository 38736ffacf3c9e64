"""Values as PostgreSQL writes them in its log, as JSON: the same as protocol sql makes of the same row."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import psycopg
from psycopg.adapt import Transformer
from psycopg.pq import Format

from onefold.connectors.sql.values import instant, number_or_text
from onefold.warehouse.rows import one_row

TEXT, TEXTS = 25, 1009
"""The types text and text[]."""

Write = Callable[[bytes], bytes]
"""Makes JSON of a value."""

_ENCODE = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode
_NO_NUMBER = frozenset({b"NaN", b"Infinity", b"-Infinity"})
_STAMP = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?(?:\+00)?")


def writer(connection: psycopg.Connection, oid: int, field_type: str | None, zone: ZoneInfo) -> Write:
    """What writes values of the type with this oid, the one under a domain. `zone` is of stamps without one."""
    name = connection.adapters.types[oid].name if oid in _known(connection) else ""
    if name in _PLAIN:
        return _PLAIN[name]
    if name in ("timestamp", "timestamptz"):
        return _stamp(ZoneInfo("UTC") if name == "timestamptz" else zone)
    if name in ("json", "jsonb"):
        return bytes
    return _other(connection, oid, as_json=field_type == "json")


def known_type(connection: psycopg.Connection, oid: int) -> int:
    """The type (oid) as which values of this one are read: of a domain the one under it, also in arrays; a text for
    ranges, of which drivers make objects, and for what arrays hold that PostgreSQL does not bring along."""
    kind, base, element, category = one_row(
        connection.execute(
            "select typtype::text, typbasetype, typelem, typcategory::text from pg_type where oid = %s", (oid,)
        )
    )
    if kind == "d":
        return known_type(connection, base)
    if kind in ("r", "m"):
        return TEXT
    if category != "A" or not element:
        return oid
    item = known_type(connection, element)
    array = one_row(connection.execute("select typarray from pg_type where oid = %s", (item,)))[0]
    return array if item in _known(connection) and array else TEXTS


def _known(connection: psycopg.Connection) -> frozenset[int]:
    return frozenset(each.oid for each in connection.adapters.types)


def _number(value: bytes) -> bytes:
    return b'"%b"' % value if value in _NO_NUMBER else value


def _text(value: bytes) -> bytes:
    return msgspec.json.encode(value.decode())


def _padded(value: bytes) -> bytes:
    return _text(value.rstrip(b" "))


def _truth(value: bytes) -> bytes:
    return b"true" if value == b"t" else b"false"


def _bytes(value: bytes) -> bytes:
    return b'"%b"' % base64.b64encode(bytes.fromhex(value[2:].decode()))


_PLAIN: dict[str, Write] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), bytes),
    **dict.fromkeys(("numeric", "float4", "float8"), _number),
    **dict.fromkeys(("text", "varchar", "uuid", "date", "interval"), _text),
    "bpchar": _padded,
    "bool": _truth,
    "bytea": _bytes,
}


def _stamp(zone: ZoneInfo) -> Write:
    utc = zone.key == "UTC"

    def write(value: bytes) -> bytes:
        if not _STAMP.fullmatch(value):  # infinity, before Christ, past the year 9999: as it is, for the gate to see
            return _text(value)
        if not utc:
            return _ENCODE(instant(datetime.fromisoformat(value.decode()), zone))
        fraction = value[20:].removesuffix(b"+00")
        digits = 3 if len(fraction) <= 3 else 6
        return b'"%b%b%b.%bZ"' % (value[:10], b"T", value[11:19], fraction.ljust(digits, b"0"))

    return write


def _other(connection: psycopg.Connection, oid: int, *, as_json: bool) -> Write:
    """Arrays, clock times and types of the database's own, as psycopg reads them; what it does not know is a text."""
    load = Transformer(connection).get_loader(oid, Format.TEXT).load

    def plain(value: object) -> object:
        if isinstance(value, list):
            return [plain(each) for each in value]
        return value if as_json else number_or_text(value)

    def write(value: bytes) -> bytes:
        try:
            return _ENCODE(plain(load(value)))
        except (psycopg.DataError, ValueError, OverflowError):
            return _text(value)

    return write
