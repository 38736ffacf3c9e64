"""The way to the inbox, which is in the warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from onefold.connectors.lag import Lag
from onefold.connectors.stored_position import stored
from onefold.connectors.window import Window
from onefold.errors import Fatal
from onefold.http.client import Client
from onefold.settings import warehouse_url
from onefold.warehouse.connection import connect
from onefold.warehouse.rows import one_row

BYTES = 16 << 20
"""Of a page's events; the one that reaches it is the last."""
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
_STORE = (
    "select inbox.store(%(systems)s::text[], %(streams)s::text[], %(event_ids)s::text[], %(headers)s::jsonb[],"
    " %(bodies)s::bytea[])"
)
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


@dataclass(frozen=True, slots=True)
class Posted:
    """An event to be stored: one that the sender could not post, or a message of a queue."""

    event_id: str
    headers: dict[str, str]
    body: bytes


class Inbox:
    """A connection to the warehouse while its context is entered, and a client of the sender where one is given."""

    def __init__(self, sender: Client | None = None) -> None:
        self._connection: psycopg.Connection | None = None
        self.sender = sender

    def __enter__(self) -> Self:
        self._connection = connect(warehouse_url(), autocommit=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
        if self.sender is not None:
            self.sender.close()

    def known(self, system: str, stream: str, event_ids: list[str]) -> set[str]:
        """Those of the ids that the inbox has."""
        query = "select event_id from inbox.event where system = %s and stream = %s and event_id = any (%s)"
        return {event_id for (event_id,) in self._open.execute(query, (system, stream, event_ids))}

    def store(self, system: str, stream: str, events: list[Posted]) -> int:
        """Store what is new of the events, in one transaction, durable when this returns how many that are."""
        values = {
            "systems": [system] * len(events),
            "streams": [stream] * len(events),
            "event_ids": [each.event_id for each in events],
            "headers": [Jsonb(each.headers) for each in events],
            "bodies": [each.body for each in events],
        }
        with self._open.transaction():
            self._open.execute("set local synchronous_commit = on")  # a queue forgets what is acknowledged then
            return int(one_row(self._open.execute(_STORE, values))[0])

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

    def last_ids(self, system: str, stream: str, most: int) -> list[str]:
        """The ids of the events stored last, in their order."""
        query = "select event_id from inbox.event where system = %s and stream = %s order by sequence desc limit %s"
        return [event_id for (event_id,) in self._open.execute(query, (system, stream, most))][::-1]

    @property
    def _open(self) -> psycopg.Connection:
        if self._connection is None:
            raise Fatal("The inbox was not opened before it was read. Please report it as a bug.")
        return self._connection


def position(checkpoint: str, named: str) -> int:
    """The sequence that a stored checkpoint stands for. Raises Fatal where it is none."""
    sequence, _, _ = checkpoint.partition(" ")
    with stored(named, "position in the inbox"):
        if not (sequence.isascii() and sequence.isdecimal()):
            raise ValueError(sequence)
        return int(sequence)


def span_of(inbox: Inbox, names: tuple[str, str], window: Window) -> tuple[int, int]:
    """The sequence up to which a stream's events are published, and the greatest one there is."""
    held = position(window.checkpoints.get("", "0"), ".".join(names))
    return held, max(held, inbox.end(*names))


class InboxPeek(Inbox):
    """Says whether events of a system wait in the inbox."""

    def __init__(self, system: str) -> None:
        super().__init__(None)
        self._system = system

    def has_more(self, stream_name: str, checkpoints: Mapping[str, str]) -> bool:
        """As Peek says. What a stream of which nothing is published finds counts too."""
        held = position(checkpoints.get("", "0"), f"{self._system}.{stream_name}")
        return self.end(self._system, stream_name) > held
