"""What a table's log says, as records in the order of the commits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy as sa

from onefold.catalog.fields import keys_to
from onefold.catalog.stream import Stream
from onefold.connectors.cdc.change import Change
from onefold.connectors.cdc.mysql import events
from onefold.connectors.cdc.mysql.dump import Dump, Event
from onefold.connectors.cdc.mysql.events import Kind
from onefold.connectors.cdc.mysql.position import Checkpoint, Position, cursor
from onefold.connectors.cdc.mysql.statements import Statements
from onefold.connectors.cdc.mysql.table import LogTable, RowReader
from onefold.connectors.cdc.mysql.values import Decode
from onefold.connectors.cdc.refusal import altered_table, lost_changes
from onefold.connectors.emptied import EMPTIED
from onefold.connectors.record import Record
from onefold.connectors.records import Head
from onefold.connectors.sql.relation import Relation, Rows
from onefold.errors import Fatal, Retriable


@dataclass(frozen=True, slots=True)
class Source:
    """What a load knows of its table: as the log calls it, what decodes its texts, and how its rows become JSON."""

    table: LogTable
    decode: dict[str, Decode]
    relation: Relation


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a load ends before the log does: the end of a transaction, and when that was written."""

    position: Position
    at: datetime


class Changes:
    """Reads the changes of a table up to a position, which is not included.

    With `most` of them, and the transaction that they are in, it stops, and `cut` is that transaction's end; it is None
    where all up to the position were there.

    Raises Fatal when the log does not tell all that happened to the table's rows.
    """

    def __init__(self, source: Source, stream: Stream, named: str, held: Checkpoint, end: Position, most: int) -> None:
        table = source.table
        self._table = table
        self._source = source
        self._named = named
        self._held = held
        self._end = end
        self._most = most
        self._rows = Rows(source.relation, stream)
        self._head = Head(named, stream)
        self._keys = _key_places(source.relation, stream)
        columns = list(source.relation.table.c)
        keys = sa.table(table.name, *(sa.column(columns[place].name, columns[place].type) for place in self._keys))
        kinds = {field.type for name, field in stream.fields.items() if name in stream.primary_key}
        self._has_plain_key = len(self._keys) == len(stream.primary_key) == 1 and kinds <= {"integer", "text"}
        self._key_rows = Rows(replace(source.relation, table=keys), stream)
        self._statements = Statements(table.schema, table.name, [column.name for column in table.columns])
        self._reader: RowReader | None = None
        self._map = b""
        self._id = -1
        self._begun: Position | None = None
        self._open = False
        self._touched = False
        self._number = 0
        self._met = 0
        self.cut: Cut | None = None

    def read(self, dump: Dump, after: str | None) -> Iterator[Change]:
        """The changes that come after the one with the cursor `after`; None: all."""
        if not dump.position < self._end:
            return
        for event in dump:
            kind = event.kind
            self._met += 1
            if kind in events.ROWS:
                if events.table_id(event.body) == self._id:
                    for record in self._records(kind, event.body):
                        if after is None or (record.cursor or "") > after:
                            yield record
                continue
            if kind in (Kind.ROTATE, Kind.FORMAT):
                self._require_whole()
                self._id = -1  # a server that was started again counts its tables anew
            elif kind not in events.SAYS_NOTHING:
                if self._begun is None and not self._begin(event, dump.position):
                    return
                emptied_at = self._judge(kind, event.body)
                if emptied_at is not None and (after is None or emptied_at > after):
                    yield EMPTIED
            if self._begun is None and self._is_enough(event, dump.position):
                return
        self._require_whole()
        if dump.position.number < self._end.number:
            raise Retriable(f"{self._named}: the server ended its log at {dump.position}, before {self._end}.")

    def _begin(self, event: Event, position: Position) -> bool:
        """Whether the transaction that begins with this event is of the load."""
        begun = replace(position, offset=position.offset - event.size)
        if not begun < self._end:
            return False
        self._begun, self._number, self._touched = begun, 0, False
        return True

    def _is_enough(self, event: Event, position: Position) -> bool:
        if self._met >= self._most and position < self._end:
            self.cut = Cut(position, datetime.fromtimestamp(event.at, UTC))
            return True
        return not position < self._end

    def _judge(self, kind: int, body: bytes) -> str | None:
        """Take note of what an event says, other than rows. Returns the cursor of what emptied the table."""
        if kind == Kind.TABLE_MAP:
            self._take_map(body)
        elif kind == Kind.GTID_MARIADB:
            self._open = events.begins_transaction(body)
        elif kind == Kind.XID:
            self._end_transaction()
        elif kind in (Kind.QUERY, Kind.QUERY_COMPRESSED, Kind.LOAD_QUERY):
            return self._judge_query(events.query(kind, body))
        elif kind == Kind.XA_PREPARE:
            if self._touched and not body[0]:
                raise self._unclear("a distributed transaction (XA) that changed its rows was only prepared there")
            self._end_transaction()
        elif kind == Kind.INCIDENT:
            raise self._unclear("the server itself has lost changes on the way to its log")
        elif kind == Kind.PAYLOAD:
            raise self._unclear("a transaction is compressed: SET GLOBAL binlog_transaction_compression = OFF")
        elif kind == Kind.PARTIAL_UPDATE:
            if events.table_id(body) == self._id:
                raise self._unclear("it has parts of JSON documents only: SET GLOBAL binlog_row_value_options = ''")
        elif kind not in (Kind.GTID, Kind.GTID_NONE, Kind.GTID_TAGGED):
            raise Fatal(f"{self._named}: the log has an event of an unknown kind ({kind}). Please report it as a bug.")
        return None

    def _judge_query(self, query: events.Query) -> str | None:
        text = query.text.strip()
        first = text[:12].upper()
        if first.startswith(("BEGIN", "XA START")):
            self._open = True
        elif first.startswith("COMMIT"):
            self._end_transaction()
        elif first.startswith("ROLLBACK"):
            if self._touched:
                raise self._unclear("a transaction that changed its rows was rolled back after they were written")
            if len(text) == len("ROLLBACK"):
                self._end_transaction()
        elif not first.startswith(("SAVEPOINT", "RELEASE", "XA ")):
            effect = self._statements.effect(query.schema, text)
            if isinstance(effect, str):
                raise altered_table(self._named, effect)
            at = self._cursor() if effect is EMPTIED else None
            if not self._open:
                self._end_transaction()
            return at
        elif not self._open:
            self._end_transaction()
        return None

    def _end_transaction(self) -> None:
        self._begun, self._open = None, False

    def _require_whole(self) -> None:
        if self._begun is not None and self._touched:
            raise self._unclear("a transaction that changed its rows has no end there")
        self._end_transaction()

    def _unclear(self, what: str) -> Fatal:
        return lost_changes(self._named, self._held.position, f"the log does not tell what became of them: {what}")

    def _take_map(self, body: bytes) -> None:
        """Note how the rows that follow are written, where they are of this table."""
        schema, table, _ = events.table_name(body)
        if (schema, table) != (self._table.schema, self._table.name):
            if events.table_id(body) == self._id:
                self._id = -1
            return
        self._id = events.table_id(body)
        if self._reader is None or body[6:] != self._map:
            self._reader = RowReader(events.table_map(body), self._table, self._source.decode, self._keys, self._named)
            self._map = body[6:]

    def _cursor(self) -> str:
        """Of the next change in the transaction."""
        self._number += 1
        return cursor(self._held.epoch, self._begun or self._held.position, self._number)

    def _records(self, kind: int, body: bytes) -> Iterator[Record]:
        """The records of an event's rows; two of a row whose key was changed: the old one is deleted, and the new one
        is there."""
        images, reader = events.row_images(kind, body), self._reader
        if reader is None or images.width != reader.width or not reader.has(images.before):
            raise self._unclear("a session writes parts of rows only (binlog_row_image is not FULL there)")
        self._touched = True
        data, at, before, after = images.data, 0, images.before, images.after
        updates, deletes, whole = kind in events.UPDATES, kind in events.DELETES, reader.has(images.after)
        while at < len(data):
            self._met += 1
            row, at = reader.read(data, at, before, key=deletes or (updates and whole))
            if deletes:
                yield self._deleted(row)
                continue
            if updates:
                old = row
                row, at = reader.read(data, at, after, None if whole else old)
                if any(old[place] != row[place] for place in self._keys):
                    yield self._deleted(old)
            payload = self._rows.json(row)
            yield Record(self._key_of(row, payload), self._cursor(), False, payload)

    def _key_of(self, row: list[object], payload: bytes) -> str | None:
        """The key of the row, of which the payload was made: what Head finds in that."""
        value = row[self._keys[0]] if self._has_plain_key else None
        return str(value) if type(value) is int else self._head.record(payload).key

    def _deleted(self, row: list[object]) -> Record:
        payload = self._key_rows.json([row[place] for place in self._keys])
        return Record(self._head.record(payload).key, self._cursor(), True, payload)


def _key_places(relation: Relation, stream: Stream) -> list[int]:
    """Where the columns of the primary key stand among those of the relation."""
    paths = (keys_to(name, stream.fields[name]) for name in stream.primary_key)
    names = {path[0] for path in paths if path}
    return [place for place, column in enumerate(relation.table.c) if column.name in names]
