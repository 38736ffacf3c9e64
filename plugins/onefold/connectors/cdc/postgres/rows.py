"""Rows of the log as records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from onefold.catalog.fields import keys_to
from onefold.catalog.partial_changes import UNCHANGED_FIELDS
from onefold.catalog.stream import Stream
from onefold.connectors.cdc.postgres.pgoutput import ABSENT, UNCHANGED, Relation, RowChange, Value
from onefold.connectors.cdc.postgres.position import oid_of
from onefold.connectors.cdc.postgres.values import Write
from onefold.connectors.record import Record
from onefold.connectors.records import Head
from onefold.connectors.window_text import top_level

WriterOf = Callable[[str, int], Write]
"""What writes a column's values as JSON, by its name and its type (oid)."""
FindValues = Callable[[dict[str, bytes], Sequence[str]], dict[str, bytes | None]]
"""Columns of the row with this key as the source has it now, as PostgreSQL writes them; none where it has no such row.
"""


@dataclass(frozen=True, slots=True)
class _Column:
    place: int
    name: str
    head: bytes
    write: Write


class LogRows:
    """Writes the changes of one table, as its newest Relation message describes it, as records of a stream.

    Keys of the JSON are in the order of the stream's fields. Columns that the stream does not name are left out.
    """

    def __init__(self, relation: Relation, stream: Stream, named: str, writer_of: WriterOf, find: FindValues) -> None:
        places = {name: place for place, (name, _) in enumerate(relation.columns)}
        self.columns = {name: relation.columns[places[name]][1] for name in top_level(stream) if name in places}
        self._columns = [
            _Column(places[name], name, msgspec.json.encode(name) + b":", writer_of(name, oid_of(kind)))
            for name, kind in self.columns.items()
        ]
        keys = {stream.fields[name].path or name for name in stream.primary_key}
        self._keys = [column for column in self._columns if column.name in keys]
        self._plain_key = self._keys[0].place if self._has_plain_key(stream) else None
        # Of a partitioned table the message names the root's identity; what a partition logs has the key in any case.
        self._identity = relation.identity | {column.place for column in self._keys}
        self._head = Head(named, stream)
        self._find = find

    def _has_plain_key(self, stream: Stream) -> bool:
        """Whether a record's key is the value of one column as the log has it, so that nothing need be decoded."""
        if len(stream.primary_key) != 1 or len(self._keys) != 1:
            return False
        (name,), (column,) = stream.primary_key, self._keys
        return keys_to(name, stream.fields[name]) == (column.name,) and oid_of(self.columns[column.name]) in _PLAIN_KEYS

    def records(self, change: RowChange, next_cursor: Callable[[], str]) -> list[Record]:
        """The record that was changed; two where its key was: the old one is deleted, and the new one is there."""
        if change.new is None:
            return [self._deleted(change.old or [], next_cursor())]
        new, old = change.new, change.old
        if old is None:
            return [self._changed(new, next_cursor())]
        if UNCHANGED in new:
            new = [was if value is UNCHANGED and self._knows(old, place) else value
                   for place, (value, was) in enumerate(zip(new, old, strict=True))]  # fmt: skip
        if all(old[column.place] == new[column.place] for column in self._keys):
            return [self._changed(new, next_cursor())]
        return [self._deleted(old, next_cursor()), self._changed(self._found(new), next_cursor())]

    def _knows(self, old: list[Value], place: int) -> bool:
        """Whether the old row has the value there: of a row's key alone, the log says NULL of everything else."""
        return place in self._identity and old[place] is not UNCHANGED

    def _found(self, new: list[Value]) -> list[Value]:
        """The row under its new key, with the large values that the log has left out: no earlier record has them under
        this key. They are read from the source as they are now; what has changed them since follows in the log."""
        lacking = [column for column in self._columns if new[column.place] is UNCHANGED]
        if not lacking:
            return new
        key = {column.name: new[column.place] for column in self._keys}
        found = self._find(
            {name: value for name, value in key.items() if isinstance(value, bytes)}, [each.name for each in lacking]
        )
        for column in lacking:
            if column.name in found:
                new[column.place] = found[column.name]
        return new

    def _changed(self, values: list[Value], cursor: str) -> Record:
        payload, unchanged = self._json(values)
        if unchanged:
            payload = b"%b,%b:%b}" % (payload[:-1], _UNCHANGED_KEY, msgspec.json.encode(unchanged))
        return Record(self._key(values, payload), cursor, False, payload)

    def _deleted(self, old: list[Value], cursor: str) -> Record:
        known: list[Value] = [value if place in self._identity else ABSENT for place, value in enumerate(old)]
        payload, _ = self._json(known)
        return Record(self._key(known, payload), cursor, True, payload)

    def _key(self, values: list[Value], payload: bytes) -> str | None:
        """The key of the row with these values, of which the payload was made: what Head finds in that."""
        if self._plain_key is None:
            return self._head.record(payload).key
        value = values[self._plain_key]
        return value.decode() or None if isinstance(value, bytes) else None

    def _json(self, values: list[Value]) -> tuple[bytes, list[str]]:
        """The row's object, and the names of the columns whose values the log has left out."""
        parts: list[bytes] = []
        unchanged: list[str] = []
        for column in self._columns:
            value = values[column.place]
            if value is None:
                parts.append(column.head + b"null")
            elif value is UNCHANGED:
                unchanged.append(column.name)
            elif value is not ABSENT:
                parts.append(column.head + column.write(value))
        return b"{%b}" % b",".join(parts), unchanged


_PLAIN_KEYS = frozenset({21, 23, 20, 25, 1043, 2950})
"""The types int2, int4, int8, text, varchar and uuid: their values as keys are as PostgreSQL writes them."""
_UNCHANGED_KEY = msgspec.json.encode(UNCHANGED_FIELDS)
