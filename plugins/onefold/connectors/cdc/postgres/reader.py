"""Reads a stream from its table's log: first the table as it is, then what changes.

A load of a stream of which nothing is published makes publication and slot, reads the table as the slot's snapshot
shows it, and then the log up to the end that it had after that. Each further load reads the log from the published
position to the end that it had when the load began; less where there are more changes than a load reads (CHANGES): the
next one goes on. Nothing is taken out of the slot by reading: it is confirmed after the publish.

A load that died goes on after its last page. The snapshot died with it: the rest of the table is read as it is by then,
and the log after it brings every row to the same state.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec
import psycopg
from psycopg import sql

from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.cdc.postgres.changes import Changes, Emptied
from onefold.connectors.cdc.postgres.database import LogDatabase
from onefold.connectors.cdc.postgres.position import Checkpoint, Lsn, cursor
from onefold.connectors.cdc.postgres.requirements import require_ready
from onefold.connectors.cdc.postgres.slot import (
    LogState,
    LogTable,
    confirm,
    create_slot,
    drop_slot,
    ensure_publication,
    require_no_slot,
    require_slot,
)
from onefold.connectors.cdc.postgres.snapshot import snapshot_pages
from onefold.connectors.cdc.postgres.values import Write, known_type, writer
from onefold.connectors.page import Page, PageReader
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record
from onefold.connectors.sql.database import SnapshotLost
from onefold.connectors.window import Window
from onefold.errors import Fatal, Retriable
from onefold.text_table import mib
from onefold.warehouse.rows import one_row

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a load stands: `row` is the snapshot's token of the next rows, `change` the cursor of the last change that
    was read (both None: the log from its beginning). `end` is where the load ends in the log and `end_at` when that was
    the log's end, by the source's clock; `since` is when the reading of the whole table began."""

    held: Checkpoint
    row: str | None = None
    change: str | None = None
    end: Lsn | None = None
    end_at: datetime | None = None
    since: datetime | None = None

    def token(self) -> str:
        end = str(self.end) if self.end else None
        return msgspec.json.encode([self.held.text(), self.row, self.change, end, self.end_at, self.since]).decode()

    @classmethod
    def of(cls, token: str, named: str) -> Place:
        held, row, change, end, *times = msgspec.json.decode(token)
        end_at, since = (datetime.fromisoformat(each) if each else None for each in times)
        return cls(Checkpoint.of(held, named), row, change, Lsn.parse(end) if end else None, end_at, since)


ROWS = 10_000
"""Records of a page where the YAML's next.size does not say."""
BYTES = 16 << 20
"""Of a page's records; one more record is taken beyond that."""
FETCH = 2_000
"""Messages that are fetched at once."""
CHANGES = 1_000_000
"""Messages with which, and with the transaction that they are in, a load ends: the server decodes all of a load's, and
keeps them on its disk, before it gives the first one."""
_DONE = "done"

log = logging.getLogger(__name__)


def cdc_reader(system: System, stream_name: str, database: LogDatabase) -> PageReader:
    """Reads the table's rows and its log. Raises Fatal when the source lacks something (slot.require_ready) or has lost
    changes (slot.require_slot)."""
    return _Reader(system, stream_name, database).read


class _Reader:
    def __init__(self, system: System, stream_name: str, database: LogDatabase) -> None:
        self._system = system
        self._stream_name = stream_name
        self._stream: Stream = system.streams[stream_name]
        self._database = database
        self._table = LogTable.of(system.system, stream_name, self._stream)
        self._named = self._table.named
        self._size = self._stream.next.size or ROWS

    def read(self, window: Window, token: str | None) -> Iterator[Page]:
        """The pages of the load; the window's times say nothing here."""
        try:
            if token is not None:
                yield from self._go_on(Place.of(token, self._named))
            elif held := window.checkpoints.get(""):
                yield from self._follow(Place(Checkpoint.of(held, self._named)))
            else:
                yield from self._begin(anew=window.anew)
        except SnapshotLost:
            raise Retriable(
                f"{self._named}: the connection to the source was lost while its rows or its log were read. What has "
                "landed stays; the next attempt goes on after it."
            ) from None

    def _begin(self, *, anew: bool) -> Iterator[Page]:
        table = self._table
        if anew:
            self._tell("DROP SLOT", lambda connection: drop_slot(connection, table))
        self._tell("CHECK", lambda connection: require_ready(connection, table))
        self._tell("CHECK", lambda connection: require_no_slot(connection, table))
        self._tell("CREATE PUBLICATION", lambda connection: ensure_publication(connection, table), writes=True)
        source, epoch = self._tell("CHECK", _source_of)
        with self._database.replication(self._named) as replication:
            slot = create_slot(replication, table, epoch)
            held = Checkpoint(source, table.slot, slot.epoch, slot.position, {})
            place = Place(held, row="", since=datetime.now(UTC))
            yield Page([], datetime.now(UTC), place.token())  # from here on a load that dies knows its slot
            yield from self._rows(place, slot.snapshot)

    def _follow(self, place: Place) -> Iterator[Page]:
        """The log up to where it ends now."""
        log = self._require_slot(place)
        self._tell("CONFIRM", lambda connection: confirm(connection, self._table, place.held))
        place = replace(place, row=None, end=log.end, end_at=log.at)
        yield self._lag_page(place, log)
        yield from self._changes(place)

    def _go_on(self, place: Place) -> Iterator[Page]:
        yield self._lag_page(place, self._require_slot(place))
        yield from self._rows(place, None) if place.row is not None else self._changes(place)

    def _require_slot(self, place: Place) -> LogState:
        return self._tell("CHECK", lambda connection: require_slot(connection, self._table, place.held))

    def _lag_page(self, place: Place, log: LogState) -> Page:
        """Says how far the stream is behind, whatever becomes of the load."""
        return Page([], datetime.now(UTC), place.token(), lag=log.lag(place.held))

    def _rows(self, place: Place, snapshot: str | None) -> Iterator[Page]:
        """The table's rows, then the log up to where it ends by then."""
        held, token = place.held, place.row or ""
        stamp = cursor(held.epoch, held.position, 0)
        with self._database.snapshot():
            if snapshot:
                statement = sql.SQL("set transaction snapshot {}").format(snapshot)
                self._tell("SNAPSHOT", lambda connection: connection.execute(statement))
            pages = (
                snapshot_pages(self._database, self._system, self._stream_name, self._size, token)
                if token != _DONE
                else iter(())
            )
            for records, following in pages:
                read = [msgspec.structs.replace(record, cursor=stamp) for record in records]
                yield Page(read, datetime.now(UTC), replace(place, row=following or _DONE).token())
        yield from self._follow(place)

    def _changes(self, place: Place) -> Iterator[Page]:
        """The log's changes after the place, in pages; the last one has the checkpoint."""
        held, end, since = place.held, place.end or place.held.position, place.since
        columns, position, as_of, read_until = held.columns, end, place.end_at, None
        records: list[Record] = []
        size = 0
        if held.position < end:
            with self._database.snapshot():
                changes = self._tell("DESCRIBE", lambda connection: self._changes_of(connection, held, end))
                for change in changes.read(self._messages(end), place.change):
                    if isinstance(change, Emptied):
                        if records:
                            yield Page(records, datetime.now(UTC), place.token())
                            records, size = [], 0
                        since = datetime.now(UTC)
                        place = replace(place, since=since)
                        continue
                    records.append(change)
                    size += len(change.payload)
                    if len(records) >= self._size or size > BYTES:
                        place = replace(place, change=change.cursor)
                        yield Page(records, datetime.now(UTC), place.token())
                        records, size = [], 0
                columns = changes.columns
                if changes.cut:
                    position, as_of = min(changes.cut.end, end), changes.cut.at
                    read_until = as_of
                    log.info(
                        "%s: the load ends at %s, after %s messages of the log, the most that one reads; "
                        "the next goes on from there: %s to %s",
                        *(self._named, position, f"{CHANGES:,}", mib(end.value - position.value), end),
                    )
        checkpoint = replace(held, position=position, columns=columns, as_of=as_of).text()
        ended = (Partition("", checkpoint, snapshot_since=since),)
        yield Page(records, datetime.now(UTC), None, ended=ended, read_until=read_until)

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

        return Changes(self._table, self._stream, found[0], held, end, CHANGES, writer_of, self._find)

    def _messages(self, end: Lsn) -> Iterator[bytes]:
        """The log's messages from the confirmed position on, in whole transactions. They stay in the slot.

        The server decodes all of them before it gives the first one, which takes as long as it takes, a load's whole
        time at most.
        """
        longest = self._system.limits.load.total_seconds()
        declare = sql.SQL(
            "declare changes binary no scroll cursor for select data from pg_logical_slot_peek_binary_changes("
            "{slot}, {end}, {most}, 'proto_version', '1', 'publication_names', {publication})"
        ).format(slot=self._table.slot, end=str(end), most=CHANGES, publication=f'"{self._table.publication}"')

        def begin(connection: psycopg.Connection) -> None:
            connection.execute("select set_config('statement_timeout', %s, true)", (f"{longest:.0f}s",))
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
