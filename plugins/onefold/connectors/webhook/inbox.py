"""The way to the inbox, which is in the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import psycopg
from psycopg.rows import class_row

from onefold.connectors.lag import Lag
from onefold.errors import Fatal
from onefold.settings import warehouse_url
from onefold.warehouse.connection import connect
from onefold.warehouse.rows import one_row

_EVENTS = """
select sequence, body from (
    select sequence, body, sum(octet_length(body)) over (order by sequence) - octet_length(body) as before
    from (
        select sequence, body from inbox.event
        where system = %(system)s and stream = %(stream)s and sequence > %(after)s and sequence <= %(end)s
        order by sequence limit %(rows)s
    ) found
) counted where before < %(bytes)s order by sequence
"""
_LAG = """
select coalesce(max(sequence), 0), count(*),
       coalesce(greatest(clock_timestamp() - min(received_at), interval '0'), interval '0')
from inbox.event where system = %(system)s and stream = %(stream)s and sequence > %(after)s
"""


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it was posted."""

    sequence: int
    body: bytes


class InboxTransport:
    """A connection to the warehouse while its context is entered."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection | None = None

    def __enter__(self) -> Self:
        self._connection = connect(warehouse_url(), autocommit=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    def end(self, system: str, stream: str) -> int:
        """The greatest sequence of the stream's events; 0 where there is none. All below it can be seen by then."""
        query = "select coalesce(max(sequence), 0) from inbox.event where system = %s and stream = %s"
        return int(one_row(self._open.execute(query, (system, stream)))[0])

    def lag(self, system: str, stream: str, after: int) -> Lag:
        """What the inbox holds after a sequence: how many events, and since when the first of them waits."""
        end, messages, behind = one_row(self._open.execute(_LAG, {"system": system, "stream": stream, "after": after}))
        return Lag(str(after), str(max(end, after)), behind, lag_messages=messages)

    def events(self, system: str, stream: str, after: int, end: int, rows: int, most_bytes: int) -> list[Event]:
        """The next events after one and up to another: so many, or fewer where they are large, but for the first."""
        values = {"system": system, "stream": stream, "after": after, "end": end, "rows": rows, "bytes": most_bytes}
        with self._open.cursor(row_factory=class_row(Event), binary=True) as cursor:
            return cursor.execute(_EVENTS, values).fetchall()

    @property
    def _open(self) -> psycopg.Connection:
        if self._connection is None:
            raise Fatal("The inbox was not opened before it was read. Please report it as a bug.")
        return self._connection
