"""Sends a page and its checkpoint as one message, which the server commits by itself while the next page is read.

PostgreSQL runs a query message of several statements as one transaction, a COPY among them. Once the page's last byte
is sent the commit needs nothing more from us: a process killed a moment later has lost nothing. psycopg's own COPY
waits for each answer, so this speaks to libpq through psycopg.pq and the generators that psycopg itself is built of.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable

import psycopg
from psycopg import generators, pq, sql
from psycopg.waiting import Ready, Wait

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"


class PageWriter:
    """At most one page is in flight. The connection is in autocommit and used by nobody else until `flush`."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._in_flight = False

    def send(self, copy: sql.Composable, rows: Iterable[bytes], then: Iterable[sql.Composable]) -> None:
        """Send COPY … (format binary), its packed rows and the statements to commit with them; do not wait."""
        query = sql.SQL("; ").join([copy, *then]).as_bytes(self._connection)
        self._connection.wait(self._sending(query, rows))
        self._in_flight = True

    def flush(self) -> None:
        """Wait until the page sent last is committed. Raises psycopg.Error when it was not: it is rolled back whole."""
        if self._in_flight:
            self._in_flight = False
            _check(self._connection.wait(generators.fetch_many(self._connection.pgconn)))

    def _sending(self, query: bytes, rows: Iterable[bytes]) -> Generator[Wait, Ready | int, None]:
        pgconn = self._connection.pgconn
        pgconn.send_query(query)
        results = yield from generators.execute(pgconn)
        if results[-1].status != pq.ExecStatus.COPY_IN:
            _check(results)
        yield from generators.copy_to(pgconn, _SIGNATURE, flush=False)
        for block in rows:
            yield from generators.copy_to(pgconn, block)
        yield from generators.copy_to(pgconn, _TRAILER, flush=False)
        while pgconn.put_copy_end() == 0:
            yield Wait.W
        yield from generators.send(pgconn)


def _check(results: list[pq.abc.PGresult]) -> None:
    for result in results:
        if result.status == pq.ExecStatus.FATAL_ERROR:
            raise psycopg.errors.error_from_result(result)
