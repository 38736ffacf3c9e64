"""Whether the log has anything for a stream after what is published of it.

Where the log ends is asked for each time, which costs nothing. Only where it has moved is read what has come since the
last look, because most of a log may be of other tables. The server sends it as to any replica.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from onefold.catalog.system import System
from onefold.connectors.cdc.mysql import events
from onefold.connectors.cdc.mysql.dump import Event, LogDatabase, NotReadable
from onefold.connectors.cdc.mysql.events import Kind
from onefold.connectors.cdc.mysql.position import Checkpoint, Position
from onefold.connectors.cdc.mysql.server import Files, files, log_status
from onefold.connectors.cdc.mysql.statements import Statements
from onefold.connectors.cdc.mysql.table import LogTable, table_of
from onefold.connectors.peek import asked_once
from onefold.http.endpoint import Endpoint

MOST_LOG = 64 << 20
"""Bytes of other tables' log, after which a load is worth its while: it moves the position on, before the server
removes its file."""
_QUERIES = frozenset({Kind.QUERY, Kind.QUERY_COMPRESSED, Kind.LOAD_QUERY})
_OF_ANY = frozenset({Kind.PAYLOAD, Kind.INCIDENT})
"""Of which table these are is not seen: the load says."""


class BinlogPeek(LogDatabase):
    """A connection to a MariaDB or MySQL whose log is read."""

    def __init__(self, system: System, endpoint: Endpoint) -> None:
        super().__init__(asked_once(system), endpoint, lambda _: None)
        self._empty: dict[str, tuple[Position, Position]] = {}
        """By stream, between which positions there is nothing for it."""

    def has_more(self, stream_name: str, checkpoints: Mapping[str, str]) -> bool:
        """As Peek says; False where nothing is published of the stream: somebody, or its schedule, starts the first.
        False too where the log is lost, or the table: the next load says so."""
        if "" not in checkpoints:
            return False
        named, name = f"{self.system.system}.{stream_name}", self.system.streams[stream_name].request.table or ""
        held = Checkpoint.of(checkpoints[""], named).position
        status = self.ask("CHECK", name, lambda connection: (log_status(connection), 0))
        known_from, known_to = self._empty.get(stream_name, (held, held))
        if known_from != held:
            known_to = held
        if status is None or status[0] <= known_to:
            return False
        table, there = self.ask("DESCRIBE", name, lambda connection: (self._described(connection, stream_name), 0))
        if table is None or there.bytes_between(held, status[0]) > MOST_LOG:
            return table is not None
        try:
            with self.dump(known_to, named) as dump:
                if any(map(_Names(table).names, dump)):
                    return True
                self._empty[stream_name] = held, dump.position
        except NotReadable:
            pass
        return False

    def _described(self, connection: sa.Connection, stream_name: str) -> tuple[LogTable | None, Files]:
        return table_of(connection, self.system.streams[stream_name]), files(connection)


class _Names:
    """Tells which events speak of a table."""

    def __init__(self, table: LogTable) -> None:
        self._table = (table.schema, table.name)
        self._statements = Statements(table.schema, table.name, [column.name for column in table.columns])

    def names(self, event: Event) -> bool:
        """Whether the event is one of the table's, or may be."""
        if event.kind == Kind.TABLE_MAP:
            return events.table_name(event.body)[:2] == self._table
        if event.kind in _QUERIES:
            query = events.query(event.kind, event.body)
            return self._statements.effect(query.schema, query.text) is not None
        return event.kind in _OF_ANY
