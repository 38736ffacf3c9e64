"""Events that Debezium's engine wrote of what changes.py does, as tests/peers/test_debezium.py has recorded them."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from onefold.catalog.system import System
from onefold.connectors.emptied import Emptied
from onefold.connectors.message_records import MessageRecords
from onefold.connectors.record import Record

Event = tuple[bytes | None, bytes | None]
"""A message's key and body."""
Form = Literal["with_schema", "plain", "undecodable"]

FORMS: dict[Form, dict[str, str]] = {
    "with_schema": {"converter.schemas.enable": "true"},
    "plain": {
        "converter.schemas.enable": "false",
        "decimal.handling.mode": "string",
        "time.precision.mode": "isostring",
        "interval.handling.mode": "string",
    },
    "undecodable": {"converter.schemas.enable": "false"},
}
"""The properties of the engine with which they were recorded."""
TYPES = {
    "id": "integer", "i2": "integer", "i8": "integer", "f4": "numeric", "f8": "numeric", "n": "numeric",
    "n2": "numeric", "p": "numeric", "b": "boolean", "c": "text", "v": "text", "tx": "text", "u": "text", "d": "date",
    "t": "text", "t0": "text", "tz": "text", "ts": "timestamp", "ts0": "timestamp", "tsz": "timestamp", "iv": "text",
    "j": "json", "jb": "json", "by": "text", "ints": "json", "bigs": "json", "texts": "json", "uuids": "json",
    "nums": "json", "days": "json", "m": "text", "r": "text", "ip": "text", "mo": "numeric", "bi": "boolean",
    "bits": "text", "h": "json",
}  # fmt: skip
FIELDS = {
    "types": TYPES,
    "whole": {"id": "integer", "note": "text", "amount": "numeric"},
    "keyed": {"day": "date", "price": "numeric", "name": "text"},
}


def path_of(form: Form) -> Path:
    return Path(__file__).parent / f"events_{form}.ndjson.gz"


def recorded(form: Form, table: str) -> list[Event]:
    """The events of one table, each tombstone after its delete."""
    return list(events_of(gzip.decompress(path_of(form).read_bytes()).splitlines(), table))


class _Source(msgspec.Struct):
    table: str


class _Change(msgspec.Struct):
    source: _Source


class _Event(msgspec.Struct):
    source: _Source | None = None
    payload: _Change | None = None


def events_of(lines: Iterable[bytes], table: str) -> Iterator[Event]:
    """The events of one table among the lines that the engine's program writes."""
    mine = False
    for line in lines:
        key, value = (bytes(each) for each in msgspec.json.decode(line, type=tuple[msgspec.Raw, msgspec.Raw]))
        if value != b"null":
            found = msgspec.json.decode(value, type=_Event)
            source = found.source or (found.payload and found.payload.source)
            mine = source is not None and source.table == table
        if mine:
            yield None if key == b"null" else key, None if value == b"null" else value


def system(table: str, zone: str = "UTC", **more: object) -> System:
    """A system whose stream `row` is a table's events."""
    stream = {
        "title": "Rows",
        "webhook": {"signature": "standard"},
        "request": {"envelope": "debezium"},
        "primary_key": ["day", "price"] if table == "keyed" else ["id"],
        "fields": {name: {"type": kind, "required": False} for name, kind in FIELDS[table].items()},
    }
    head = {"system": "test_log", "title": "Log", "protocol": "webhook", "connection": "t", "schedule": "0 * * * *"}
    return System.model_validate({**head, "timezone": zone, "streams": {"row": stream | more}})


def unwrapped(events: Iterable[Event], system: System) -> list[Record | Emptied]:
    records = MessageRecords(system, "row")
    return [each for key, body in events for each in records.of(body, key)]
