"""Reads a stream from a MariaDB or MySQL: the changes that its log has. Nothing is made or changed at the source, and
nothing is kept there for the stream: the log is there for as long as the server is set to keep it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

import sqlalchemy as sa

from onefold.catalog.system import System
from onefold.connectors.cdc import reader
from onefold.connectors.cdc.change import Change, Reached
from onefold.connectors.cdc.mysql.changes import Changes, Source
from onefold.connectors.cdc.mysql.dump import LogDatabase, NotReadable
from onefold.connectors.cdc.mysql.position import Checkpoint, Position, cursor
from onefold.connectors.cdc.mysql.requirements import require_ready
from onefold.connectors.cdc.mysql.server import before_snapshot, clock, look, snapshot_position, source_of
from onefold.connectors.cdc.mysql.table import LogTable, decoders, table_of
from onefold.connectors.cdc.reader import LogEnd, LogReader, Place
from onefold.connectors.cdc.refusal import altered_table, lost_changes
from onefold.connectors.page import Page, PageReader
from onefold.connectors.sql.relation import described
from onefold.errors import Fatal

T = TypeVar("T")

log = logging.getLogger(__name__)


def binlog_reader(system: System, stream_name: str, database: LogDatabase) -> PageReader:
    """Reads the table's rows and its log. Raises Fatal when the source lacks something (requirements.require_ready) or
    has lost changes (server.look)."""
    return _Reader(system, stream_name, database).read


class _Reader(LogReader):
    def __init__(self, system: System, stream_name: str, database: LogDatabase) -> None:
        super().__init__(system, stream_name, database)
        self._database = database

    def _begin(self, *, anew: bool) -> Iterator[Page]:
        del anew  # a new epoch orders all that follows after all that is published
        self._require_ready()
        before = self._ask("CHECK", lambda connection: before_snapshot(connection, self._table(connection).quoted))
        with self._database.snapshot():
            position = self._ask("SNAPSHOT", snapshot_position) or before
            created = self._created(position)
            held = self._ask("DESCRIBE", lambda connection: self._first(connection, position, created))
            place = Place(held.text(), row="", since=datetime.now(UTC))
            yield Page([], datetime.now(UTC), place.token())  # from here on a load that dies knows its position
            yield from self._rows(place)
        yield from self._follow(place)

    def _require_ready(self) -> None:
        schedule = self._system.schedule
        self._ask(
            "CHECK", lambda connection: require_ready(connection, self._named, self._stream, schedule, self._dumps)
        )

    def _dumps(self, position: Position) -> None:
        """Begin to read the log, as a replica would: see that the login may."""
        with self._database.dump(position, self._named):
            pass

    def _created(self, position: Position) -> int:
        with self._database.dump(position, self._named) as dump:
            return dump.created

    def _first(self, connection: sa.Connection, position: Position, created: int) -> Checkpoint:
        columns = self._table(connection).described
        source, epoch = source_of(connection), int(clock(connection).timestamp())
        return Checkpoint(source=source, epoch=epoch, position=position, created=created, columns=columns)

    def _table(self, connection: sa.Connection) -> LogTable:
        table = table_of(connection, self._stream)
        if table is None:
            raise Fatal(
                f"{self._named}: there is no table {self._stream.request.table} any more that the login may see. If it "
                "was renamed, change request.table in the system's YAML, and load the stream anew."
            )
        return table

    def _held(self, place: Place) -> Checkpoint:
        return Checkpoint.of(place.held, self._named)

    def _look(self, place: Place) -> LogEnd:
        held = self._held(place)
        return self._ask("CHECK", lambda connection: look(connection, self._named, held))

    def _stamp(self, place: Place) -> str:
        held = self._held(place)
        return cursor(held.epoch, held.position, 0)

    def _log(self, place: Place) -> Iterator[Change | Reached]:
        held = self._held(place)
        end = Position.parse(place.end) if place.end else held.position
        source = self._ask("DESCRIBE", lambda connection: self._source_of(connection, held))
        changes = Changes(source, self._stream, self._named, held, end, reader.CHANGES)
        try:
            with self._database.dump(held.position, self._named) as dump:
                if dump.position.number == held.position.number and dump.created != held.created:
                    raise lost_changes(
                        self._named, held.position, "the server began its log anew, in files of the same names"
                    )
                yield from changes.read(dump, place.change)
                created = dump.created
        except NotReadable as error:
            raise lost_changes(self._named, held.position, str(error)) from error
        reached = replace(held, position=end, created=created, columns=source.table.described, as_of=place.end_at)
        if changes.cut is None:
            yield Reached(reached.text())
            return
        reached = replace(reached, position=changes.cut.position, as_of=changes.cut.at)
        log.info(
            "%s: the load ends at %s, after %s changes and other events of the log, the most that one reads; "
            "the next goes on from there, up to %s by now",
            *(self._named, reached.position, f"{reader.CHANGES:,}", end),
        )
        yield Reached(reached.text(), changes.cut.at)

    def _source_of(self, connection: sa.Connection, held: Checkpoint) -> Source:
        table = self._table(connection)
        relation = described(connection, self._database.dialect, self._system, self._stream, self._named)
        differ = sorted(name for name, now in table.described.items() if held.columns.get(name) != now)
        if differ:
            raise altered_table(self._named, f"{', '.join(differ)} is new or of another type")
        return Source(table, decoders(connection, table), relation)

    def _ask(self, verb: str, question: Callable[[sa.Connection], T]) -> T:
        return self._database.ask(verb, self._stream.request.table or "", lambda connection: (question(connection), 0))
