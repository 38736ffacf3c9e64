"""Which window a run loads. It is explicit; nothing depends on a logical date being there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg

from onefold.catalog.stream import Stream
from onefold.connectors.lookup import LookupScope
from onefold.connectors.window import BEGINNING, Window


@dataclass(frozen=True, slots=True)
class WindowRequest:
    """What a run asks for: its own start and end, both optional, and whether it is a backfill of the past.

    `whole_feed`: of a look-up, all that its feed names in the window, also what nobody else names.
    """

    start: datetime | None = None
    end: datetime | None = None
    exactly: bool = False
    whole_feed: bool = False

    @property
    def scope(self) -> LookupScope:
        """What a look-up is asked."""
        if not self.exactly:
            return "open"
        return "feed" if self.whole_feed else "known"


def resolve_window(
    connection: psycopg.Connection, system: str, name: str, stream: Stream, requested: WindowRequest
) -> Window:
    """The window of a load.

    A run that names its window exactly (parameters, backfill) gets it. Any other goes on from what was published
    last, less the look-back, so that a run that failed leaves no gap; the first one ever reads from the beginning.
    """
    end = requested.end or datetime.now(UTC)
    if requested.exactly:
        return Window(requested.start or BEGINNING, end)
    published = connection.execute(
        "select value, window_end from ops.cursor where system = %s and stream = %s", (system, name)
    ).fetchone()
    if published is None:
        return Window(BEGINNING, end)
    value, window_end = published
    return Window(resume_start(value, window_end, stream, end), end)


def resume_start(value: str | None, window_end: datetime, stream: Stream, end: datetime) -> datetime:
    """Where a run up to `end` begins that goes on from a cursor: its value and the end of the last window."""
    timed = stream.cursor and stream.cursor.kind != "integer"
    reached = datetime.fromisoformat(value) if timed and value and is_time(value) else window_end
    return min(reached, end) - overlap(stream)  # a source's clock may run ahead of ours


def is_time(value: str) -> bool:
    """Whether a cursor is a time; the stream may have been read in another way before, by an integer or from a log."""
    return value[4:5] == "-"


def overlap(stream: Stream) -> timedelta:
    """How much of what is published a run that goes on from it reads again."""
    return stream.cursor.lookback if stream.cursor else stream.freshness
