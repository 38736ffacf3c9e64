"""Reads a stream from a PostgreSQL: makes its publication and its slot, and reads the changes that the slot has.

Nothing is taken out of the slot by reading: it is confirmed after the publish, and again before the next load reads.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from onefold.catalog.system import System
from onefold.connectors.cdc import reader
from onefold.connectors.cdc.change import Change, Reached
from onefold.connectors.cdc.postgres.changes import Changes
from onefold.connectors.cdc.postgres.database import LogDatabase
from onefold.connectors.cdc.postgres.position import Checkpoint, Lsn, cursor
from onefold.connectors.cdc.postgres.requirements import require_ready
from onefold.connectors.cdc.postgres.slot import (
    LogTable,
    columns_of,
    confirm,
    create_slot,
    drop_slot,
    ensure_publication,
    occupy,
    require_no_slot,
    require_slot,
)
from onefold.connectors.cdc.postgres.values import Write, known_type, writer
from onefold.connectors.cdc.reader import BEGUN, LogEnd, LogReader, Place
from onefold.connectors.page import Page, PageReader
from onefold.connectors.source_slot import SourceSlot
from onefold.errors import Fatal
from onefold.text_table import mib
from onefold.warehouse.rows import one_row

T = TypeVar("T")

FETCH = 2_000
"""Messages that are fetched at once. The server decodes all of a load's (reader.CHANGES), and keeps them on its disk,
before it gives the first one."""

log = logging.getLogger(__name__)


def cdc_reader(system: System, stream_name: str, database: LogDatabase) -> PageReader:
    """Reads the table's rows and its log. Raises Fatal when the source lacks something (slot.require_ready) or has lost
    changes (slot.require_slot)."""
    return _Reader(system, stream_name, database).read


class _Reader(LogReader):
    def __init__(self, system: System, stream_name: str, database: LogDatabase) -> None:
        super().__init__(system, stream_name, database)
        self._database = database
        self._table = LogTable.of(system.system, stream_name, self._stream)
        self._slot = SourceSlot(self._table.slot, system.connection)

    def _begin(self, *, anew: bool) -> Iterator[Page]:
        table = self._table
        self._tell("CHECK", lambda connection: require_ready(connection, table, self._system))
        if anew:
            self._tell("DROP SLOT", lambda connection: drop_slot(connection, table))
        self._tell("CHECK", lambda connection: require_no_slot(connection, table))
        self._tell("CREATE PUBLICATION", lambda connection: ensure_publication(connection, table), writes=True)
        source, epoch = self._tell("CHECK", _source_of)
        columns = self._tell("DESCRIBE", lambda connection: columns_of(connection, table))
        yield Page([], datetime.now(UTC), BEGUN, slot=self._slot)  # known from here on, wherever a load dies
        with self._database.replication(self._named) as replication:
            slot = create_slot(replication, table, epoch)
            held = Checkpoint(source=source, slot=table.slot, epoch=slot.epoch, position=slot.position, columns=columns)
            place = Place(held.text(), row="", since=datetime.now(UTC))
            yield Page([], datetime.now(UTC), place.token())  # from here on a load that dies knows its slot
            with self._database.snapshot():
                statement = sql.SQL("set transaction snapshot {}").format(slot.snapshot)
                self._tell("SNAPSHOT", lambda connection: connection.execute(statement))
                yield from self._rows(place)
        yield from self._follow(place)

    def _held(self, place: Place) -> Checkpoint:
        return Checkpoint.of(place.held, self._named)

    def _look(self, place: Place) -> LogEnd:
        held = self._held(place)
        log = self._tell("CHECK", lambda connection: require_slot(connection, self._table, held))
        self._tell("CONFIRM", lambda connection: confirm(connection, self._table, held))
        return LogEnd(str(log.end), log.at, log.lag(held))

    def _stamp(self, place: Place) -> str:
        held = self._held(place)
        return cursor(held.epoch, held.position, 0)

    def _log(self, place: Place) -> Iterator[Change | Reached]:
        held = self._held(place)
        end = Lsn.parse(place.end) if place.end else held.position
        reached = replace(held, position=end, as_of=place.end_at)
        if not held.position < end:
            yield Reached(reached.text())
            return
        with self._database.snapshot():
            changes = self._tell("DESCRIBE", lambda connection: self._changes_of(connection, held, end))
            yield from changes.read(self._messages(end), place.change)
        reached = replace(reached, columns=changes.columns)
        if changes.cut is None:
            yield Reached(reached.text())
            return
        reached = replace(reached, position=min(changes.cut.end, end), as_of=changes.cut.at)
        log.info(
            "%s: the load ends at %s, after %s messages of the log, the most that one reads; "
            "the next goes on from there: %s to %s",
            *(self._named, reached.position, f"{reader.CHANGES:,}", mib(end.value - reached.position.value), end),
        )
        yield Reached(reached.text(), changes.cut.at)

    def _changes_of(self, connection: psycopg.Connection, held: Checkpoint, end: Lsn) -> Changes:
        found = connection.execute(
            "select to_regclass(%s)::oid", (self._table.identifier.as_string(connection),)
        ).fetchone()
        if found is None or found[0] is None:
            raise Fatal(
                f"{self._named}: there is no table {self._table.table} any more that the login may see. If it was "
                "renamed, change request.table in the system's YAML; its changes are still in the log."
            )
        kinds = {(field.path or name): field.type for name, field in self._stream.fields.items()}
        zone = ZoneInfo(self._system.timezone)

        def writer_of(name: str, oid: int) -> Write:
            return self._tell("DESCRIBE", lambda inside: writer(inside, known_type(inside, oid), kinds.get(name), zone))

        return Changes(self._table, self._stream, found[0], held, end, reader.CHANGES, writer_of, self._find)

    def _messages(self, end: Lsn) -> Iterator[bytes]:
        """The log's messages from the confirmed position on, in whole transactions. They stay in the slot.

        The server decodes all of them before it gives the first one, which takes as long as it takes, a load's whole
        time at most.
        """
        longest = self._system.limits.load.total_seconds()
        declare = sql.SQL(
            "declare changes binary no scroll cursor for select data from pg_logical_slot_peek_binary_changes("
            "{slot}, {end}, {most}, 'proto_version', '1', 'publication_names', {publication})"
        ).format(slot=self._table.slot, end=str(end), most=reader.CHANGES, publication=f'"{self._table.publication}"')

        def begin(connection: psycopg.Connection) -> None:
            connection.execute("select set_config('statement_timeout', %s, true)", (f"{longest:.0f}s",))
            occupy(connection, self._table)
            connection.execute(declare)

        def fetch(connection: psycopg.Connection) -> list[tuple[bytes]]:
            return connection.execute(f"fetch {FETCH} from changes", binary=True).fetchall()

        self._tell("PEEK", begin)
        while found := self._tell("PEEK", fetch, longest=longest):
            for (data,) in found:
                yield data

    def _find(self, key: dict[str, bytes], columns: Sequence[str]) -> dict[str, bytes | None]:
        statement = sql.SQL("select {} from {} where {}").format(
            sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in columns),
            self._table.identifier,
            sql.SQL(" and ").join(
                sql.SQL("{} = {}").format(sql.Identifier(name), value.decode()) for name, value in key.items()
            ),
        )
        row = self._tell("SELECT", lambda connection: connection.execute(statement).fetchone())
        if row is None:
            return {}
        return {name: None if value is None else value.encode() for name, value in zip(columns, row, strict=True)}

    def _tell(
        self, verb: str, question: Callable[[psycopg.Connection], T], *,
        writes: bool = False, longest: float | None = None,
    ) -> T:  # fmt: skip
        return self._database.tell(verb, self._table.table, question, writes=writes, longest=longest)


def _source_of(connection: psycopg.Connection) -> tuple[str, int]:
    """PostgreSQL's system identifier, and its time in seconds since 1970."""
    statement = "select system_identifier::text, extract(epoch from now())::bigint from pg_control_system()"
    source, epoch = one_row(connection.execute(statement))
    return source, epoch
