"""Sources that are SQL databases, read by keyset: each page begins after the last (cursor, key) of the one before.

No OFFSET, which drifts and grows slower; no transaction that stays open while we write, which would keep a PostgreSQL
from cleaning up, unless the YAML asks for one (request.snapshot). A row that is changed between two pages moves to the
end and is met there again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import sqlalchemy as sa

from onefold.catalog.system import System
from onefold.connectors.page import Page, PageReader
from onefold.connectors.record import Record
from onefold.connectors.records import Head
from onefold.connectors.sql.database import Database, SnapshotLost
from onefold.connectors.sql.dialects.postgresql import psycopg_connection
from onefold.connectors.sql.query import Place, Query
from onefold.connectors.sql.relation import Relation, Rows, described
from onefold.connectors.window import ResumeCursor, Window
from onefold.errors import Fatal, Retriable
from onefold.http.failure import times
from onefold.warehouse.exact_values import is_unfit_for_python, load_unfit_times_as_text

log = logging.getLogger(__name__)

ROWS = 5000
"""Rows of a page where the YAML's next.size does not say."""
FETCH = 1000
Fetched = tuple[list[Record], Sequence[object] | None]
"""Records, and the last row that one of them was made of."""
Question = Callable[[sa.Connection], tuple[Fetched, int]]


def sql_reader(system: System, stream_name: str, database: Database, reached: ResumeCursor) -> PageReader:
    """Reads a table or view in the order of its cursor and key, then the rows whose cursor belongs to no window.

    A page's token names the row that it ended with. Rows whose cursor is NULL, infinity or outside the years 1 to 9998
    come with every load, for the gate to see, and are few or a fault. Raises Fatal when the table does not fit the
    stream.
    """
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    head = Head(named, stream)
    size = stream.next.size or ROWS

    def read(window: Window, token: str | None) -> Iterator[Page]:
        def describe(connection: sa.Connection) -> tuple[Relation, int]:
            return described(connection, database.dialect, system, stream, named), 0

        relation = database.ask("DESCRIBE", stream.request.table or "", describe)
        query = Query(relation, stream, named)
        bounds = query.bounds(window, reached)
        rows = PageRows(query, Rows(relation, stream), head, size, named, system.limits.answer_mib)
        place: Place | None = query.place(token) if token else Place(stamped=bool(stream.cursor))
        while place:
            at = datetime.now(UTC)
            records, last = database.ask("SELECT", stream.request.table or "", rows.question(place, bounds))
            following = query.following(place, last if len(records) >= size else None)
            yield Page(records, at, query.token(following) if following else None)
            place = following

    def read_snapshot(window: Window, token: str | None) -> Iterator[Page]:
        """A snapshot ends with its connection, so a read of it begins anew: after a crash, and where it was lost."""
        for _ in range(system.limits.attempts):
            try:
                with database.snapshot():
                    yield from read(window, None)
                return
            except SnapshotLost:
                log.warning("%s: the connection was lost, and its snapshot with it; the table is read anew", named)
        raise Retriable(
            f"{named}: the connection was lost {times(system.limits.attempts)} before all of the table was read in one "
            "transaction. Nothing was changed here. Ask for less at once (next.size), or take request.snapshot out of "
            "the system's YAML: then reading goes on where it was."
        )

    return read_snapshot if stream.request.snapshot else read


class PageRows:
    """Fetches the rows of a page and writes them as records. Streamed, so that rows are not held twice. A page may have
    `most` MiB of JSON."""

    def __init__(self, query: Query, write: Rows, head: Head, size: int, named: str, most: int) -> None:
        self._query = query
        self._write = write
        self._head = head
        self._size = size
        self._named = named
        self._most = most

    def question(self, place: Place, bounds: Sequence[sa.ColumnElement[bool]]) -> Question:
        """What Database.ask is to find out: the page after the place."""
        return partial(self._read, place=place, bounds=bounds)

    def _read(
        self, connection: sa.Connection, *, place: Place, bounds: Sequence[sa.ColumnElement[bool]]
    ) -> tuple[Fetched, int]:
        """The page's records and its last row, and the bytes of its JSON.

        Rows that are alike in cursor and key are never on two pages: the next one begins after all of them.
        """
        records, last = self._records(connection, self._query.page(place, bounds, self._size))
        if not place.stamped:  # such a cursor says nothing, least of all that everything before it has been read
            records = [msgspec.structs.replace(record, cursor=None) for record in records]
        if len(records) == self._size and last is not None and (alike := self._query.alike(place, last)) is not None:
            tied, _ = self._records(connection, alike)
            if len(tied) > 1:
                known = {record.payload for record in tied}
                if not place.stamped:
                    tied = [msgspec.structs.replace(record, cursor=None) for record in tied]
                while records and records[-1].payload in known:
                    records.pop()
                records += tied
        return (records, last), sum(len(record.payload) for record in records)

    def _records(self, connection: sa.Connection, statement: sa.Select[*tuple[Any, ...]]) -> Fetched:
        try:
            return self._fetched(connection, statement)
        except sa.exc.DataError as error:
            if not is_unfit_for_python(error.orig):
                raise
        # Some date is beyond Python's calendar: hardly ever, so the slower way is gone only now.
        load_unfit_times_as_text(psycopg_connection(connection))
        return self._fetched(connection, statement)

    def _fetched(self, connection: sa.Connection, statement: sa.Select[*tuple[Any, ...]]) -> Fetched:
        records: list[Record] = []
        row: Sequence[object] | None = None
        streamed, size = {"stream_results": True, "max_row_buffer": FETCH}, 0
        for row in connection.execute(statement, execution_options=streamed):
            records.append(self._head.record(self._write.json(row)))
            size += len(records[-1].payload)
            if size > self._most << 20:
                raise Fatal(
                    f"{self._named}: the first {len(records)} rows of a page have more than {self._most} MiB "
                    "(limits.answer_mib). Ask for fewer rows at once (next.size), read a view without the large "
                    "columns, or raise the limit in the system's YAML."
                )
        return records, row
