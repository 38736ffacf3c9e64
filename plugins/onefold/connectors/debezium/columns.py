"""The columns of a table's events: what writes their values, by the event's schema or the stream's fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from onefold.catalog.fields import FieldType, keys_to
from onefold.catalog.stream import Stream
from onefold.connectors.debezium.placeholders import is_unavailable
from onefold.connectors.debezium.values import (
    Write,
    day,
    document,
    iso_day,
    iso_stamp,
    number_of_text,
    truth,
    variable_scale,
    writer,
)
from onefold.errors import Fatal

Row = Mapping[str, msgspec.Raw]
"""A row's values by column, as the event has them."""

_SCHEMAS = 100
"""So many are remembered: a table has one, and another after each change of its columns."""
_BASE64 = re.compile(rb'"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"')


class Columns:
    """Writes the rows of events as records' JSON. Raises Fatal where a value's kind cannot be told."""

    def __init__(self, named: str, stream: Stream, zone: ZoneInfo) -> None:
        self._named = named
        self._zone = zone
        self._types: dict[str, FieldType] = {}
        for name, field in stream.fields.items():
            path = keys_to(name, field)
            if path and len(path) == 1:
                self._types[path[0]] = field.type
        self._without_schema = self._by_type()
        self._by_schema: dict[bytes, dict[str, Write]] = {}

    def written(self, row: Row, schema: bytes) -> tuple[bytes, list[str]]:
        """The row's object, and the names of the columns whose values did not change and are not in the event. The
        schema may be empty."""
        writers = self._writers(schema)
        parts: list[bytes] = []
        unchanged: list[str] = []
        for name, raw in row.items():
            value = bytes(raw)
            if is_unavailable(value):
                unchanged.append(name)
                continue
            write = writers.get(name)
            parts.append(b"%b:%b" % (msgspec.json.encode(name), write(value) if write and value != b"null" else value))
        return b"{%b}" % b",".join(parts), unchanged

    def _writers(self, schema: bytes) -> dict[str, Write]:
        if schema in (b"", b"null"):
            return self._without_schema
        found = self._by_schema.get(schema)
        if found is None:
            if len(self._by_schema) >= _SCHEMAS:
                self._by_schema.clear()
            found = self._by_schema[schema] = self._of_schema(schema)
        return found

    def _of_schema(self, schema: bytes) -> dict[str, Write]:
        fields = _fields(msgspec.json.decode(schema))
        if {"op", "source", "after"} <= fields.keys():  # an event's, else a key's
            fields = _fields(fields["after"])
        found = {name: writer(each, self._zone) or self._of_plain(name) for name, each in fields.items()}
        return {name: write for name, write in found.items() if write}

    def _of_plain(self, name: str) -> Write | None:
        """What writes a value that the schema calls a mere text or number."""
        match self._types.get(name):
            case "numeric" | "integer":
                return number_of_text
            case "boolean":
                return truth
            case "json":
                return document
        return None

    def _by_type(self) -> dict[str, Write]:
        writers: Mapping[FieldType, Write] = {
            "numeric": self._number,
            "integer": self._number,
            "boolean": truth,
            "json": document,
            "date": lambda value: iso_day(value) if value[:1] == b'"' else day(value),
            "timestamp": self._stamp,
        }
        return {name: writers[kind] for name, kind in self._types.items() if kind in writers}

    def _number(self, value: bytes) -> bytes:
        if value[:1] == b"{":
            return variable_scale(value)
        number = number_of_text(value)
        if number[:1] == b'"' and len(number) > 2 and _BASE64.fullmatch(number):
            raise self._unknown("decimals are bytes without their scale", "decimal.handling.mode=string")
        return number

    def _stamp(self, value: bytes) -> bytes:
        if value[:1] != b'"':
            raise self._unknown("times are numbers without their unit", "time.precision.mode=isostring")
        return iso_stamp(value)

    def _unknown(self, what: str, setting: str) -> Fatal:
        return Fatal(
            f"{self._named}: the events come without their schema, and {what}, so they cannot be read. Set at "
            f"the connector value.converter.schemas.enable=true (the engine's: converter.schemas.enable) or {setting}, "
            "and let it write the topic anew."
        )


def _fields(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["field"]: each for each in schema.get("fields") or ()}
