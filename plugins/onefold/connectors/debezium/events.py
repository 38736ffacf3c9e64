"""Debezium's events as records: {before, after, source, op}, with the schema beside it or without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import msgspec

from onefold.catalog.fields import keys_to
from onefold.catalog.partial_changes import UNCHANGED_FIELDS
from onefold.catalog.stream import Stream
from onefold.connectors.debezium.columns import Columns, Row
from onefold.connectors.debezium.order import Source, place_of
from onefold.connectors.emptied import EMPTIED, Emptied
from onefold.connectors.record import Record
from onefold.connectors.records import Head
from onefold.errors import Fatal


class _Change(msgspec.Struct):
    op: str
    source: Source
    before: dict[str, msgspec.Raw] | None = None
    after: dict[str, msgspec.Raw] | None = None


class _Event(msgspec.Struct):
    """A change, or one under `payload` with its schema beside it (converter.schemas.enable)."""

    op: str | None = None
    source: Source | None = None
    before: dict[str, msgspec.Raw] | None = None
    after: dict[str, msgspec.Raw] | None = None
    payload: _Change | None = None
    schema: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


class _Key(msgspec.Struct):
    payload: dict[str, msgspec.Raw]
    schema: msgspec.Raw


_EVENT = msgspec.json.Decoder(_Event).decode
_KEY = msgspec.json.Decoder(_Key).decode
_PLAIN_KEY = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_REGISTERED = re.compile(rb"\x00.{4}", re.DOTALL)
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, TypeError, KeyError, OverflowError)


class DebeziumEvents:
    """Unwraps the events of one stream, in the order in which they arrive.

    Each record's cursor is its event's place in the source's log. A delete, and the old key where a key was changed,
    is a deleted record of nothing but its key.
    """

    def __init__(self, named: str, stream: Stream, zone: ZoneInfo) -> None:
        self._named = named
        self._head = Head(named, stream)
        self._columns = Columns(named, stream, zone)
        paths = (keys_to(name, stream.fields[name]) for name in stream.primary_key)
        self._keys = [path[0] for path in paths if path]
        self._place, self._number = "", 0
        self._deleted: str | None = None

    def of(self, body: bytes | None, key: bytes | None) -> Iterator[Record | Emptied]:
        """What the event says. What is no event of Debezium's is a record without a key, for quarantine.

        Raises Fatal when events are written such that their values or their order cannot be told.
        """
        deleted, self._deleted = self._deleted, None
        if body is None or body == b"null":
            yield from self._tombstone(key, deleted)
            return
        self._refuse_registered(body)
        try:
            yield from self._of(body, key)
        except _BROKEN:
            yield Record(None, None, False, body)

    def _of(self, body: bytes, key: bytes | None) -> Iterator[Record | Emptied]:
        event = _EVENT(body)
        change = event.payload
        if change is None:
            if event.op is None or event.source is None:
                yield Record(None, None, False, body)
                return
            change = _Change(event.op, event.source, event.before, event.after)
        schema = bytes(event.schema)
        if change.op == "t":
            yield EMPTIED
        elif change.op == "d":
            record = self._gone(change.before or {}, schema, key, self._next_cursor(change.source))
            self._deleted = record.key
            yield record
        elif change.op in ("c", "u", "r") and change.after is not None:
            yield self._changed(change.after, schema, self._next_cursor(change.source))

    def _changed(self, after: Row, schema: bytes, cursor: str) -> Record:
        payload, unchanged = self._columns.written(after, schema)
        if unchanged:
            names = msgspec.json.encode(unchanged)
            payload = b'%b,"%b":%b}' % (payload[:-1], UNCHANGED_FIELDS.encode(), names)
        return Record(self._head.record(payload).key, cursor, False, payload)

    def _gone(self, before: Row, schema: bytes, key: bytes | None, cursor: str | None) -> Record:
        """The row's key by what it was before, or by the message's key where that does not have it."""
        row = self._of_key(before)
        if len(row) < len(self._keys) and key is not None:
            row, schema = self._message_key(key)
        payload, _ = self._columns.written(row, schema)
        return Record(self._head.record(payload).key, cursor, True, payload)

    def _tombstone(self, key: bytes | None, deleted: str | None) -> Iterator[Record]:
        """The message with which a topic forgets a key; after a delete it says nothing more. It has no place in the
        source's log: it counts as later than all that was read before it."""
        if key is None:
            return
        record = self._gone({}, b"", key, None)
        if record.key is None or record.key != deleted:
            yield record

    def _message_key(self, key: bytes) -> tuple[Row, bytes]:
        self._refuse_registered(key)
        try:
            found = _KEY(key)
            return self._of_key(found.payload), bytes(found.schema)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            pass
        try:
            return self._of_key(_PLAIN_KEY(key)), b""
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return {}, b""

    def _of_key(self, row: Row) -> Row:
        return {name: row[name] for name in self._keys if name in row}

    def _next_cursor(self, source: Source) -> str:
        place = place_of(source, self._named)
        self._number = self._number + 1 if place == self._place else 0
        self._place = place
        return f"{place}.{self._number:010d}"

    def _refuse_registered(self, message: bytes) -> None:
        if _REGISTERED.match(message):
            raise Fatal(
                f"{self._named}: the messages are written by a schema registry's converter (schema "
                f"{int.from_bytes(message[1:5], 'big')}; Avro, Protobuf or JSON Schema), which is not read here. Set "
                "Debezium's key.converter and value.converter to org.apache.kafka.connect.json.JsonConverter, and name "
                "a topic here that holds only such messages."
            )
