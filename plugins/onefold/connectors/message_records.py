"""Records in the bodies of messages: of webhooks, and of queues."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

import msgspec

from onefold.catalog.fields import keys_to
from onefold.catalog.system import System
from onefold.connectors.debezium.events import DebeziumEvents
from onefold.connectors.emptied import Emptied
from onefold.connectors.lenient_json import raw_elements, raw_value
from onefold.connectors.record import Record
from onefold.connectors.records import Head, dotted


class MessageRecords:
    """Takes records out of the messages of a stream, given in the order in which they came: out of an envelope where
    its request names one, else the body itself, or what stands at a path of it, one or a list."""

    def __init__(self, system: System, stream_name: str) -> None:
        named, stream = f"{system.system}.{stream_name}", system.streams[stream_name]
        name = stream.primary_key[0]
        self._path = dotted(stream.records)
        self._only_key = keys_to(name, stream.fields[name]) if len(stream.primary_key) == 1 else None
        self._head = Head(named, stream)
        self._events = DebeziumEvents(named, stream, ZoneInfo(system.timezone)) if stream.request.envelope else None
        self.ordered = self._events is not None or stream.cursor is not None
        """Whether the messages themselves say which version of a record is newer; else the order of arrival does."""

    def of(self, body: bytes | None, key: bytes | None = None) -> Iterable[Record | Emptied]:
        """What a message says; no body is the message with which a topic forgets its key. A body in which no record
        can be found is a record without a key, for quarantine.

        Raises Fatal when the messages of the stream cannot be read as they are written.
        """
        if self._events:
            return self._events.of(body, key)
        if body is None:
            return [self._forgotten(key or b"")]
        raws = self._raws(body)
        return [self._head.record(raw) for raw in raws] if raws is not None else [Record(None, None, False, body)]

    def _forgotten(self, key: bytes) -> Record:
        """The deleted record of a message's key: an object with the fields of the primary key, or its one value."""
        record = self._head.record(key)
        if record.key is None and self._only_key:
            value = _scalar(key)
            for name in reversed(self._only_key):
                value = {name: value}
            record = self._head.record(msgspec.json.encode(value))
        return Record(record.key, None, True, record.payload)

    def _raws(self, body: bytes) -> list[bytes] | None:
        if not self._path:
            return [body]
        try:
            text = body.decode()
            if (elements := raw_elements(text, self._path)) is not None:
                return [each.encode() for each in elements]
            value = raw_value(text, self._path)
        except (ValueError, RecursionError):
            return None
        return None if value is None else [value.encode()]


def _scalar(key: bytes) -> object:
    """A key that is JSON, or else a mere text."""
    try:
        return msgspec.json.decode(key)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return key.decode(errors="replace")
