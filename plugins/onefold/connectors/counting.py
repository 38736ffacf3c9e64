"""What a source can count itself: how many records of a stream have their cursor in each of some windows.

A count costs the source one query and us one number, so it comes before any reading (reconcile/narrow.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.connector import Connector, TransportT
from onefold.connectors.registry import connector_class
from onefold.connectors.window import BEGINNING, Window

Count = Callable[[Sequence[Window]], list[int]]
CountDay = Callable[[date], int]


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts the records of each of these windows, which begin and end on whole steps (or the last one: now).

    `at_once` is how many windows are worth asking about in one round: many where all are one query, few where each is
    a request. `step` is how finely the source is told a window's ends: a midnight UTC lies on a step of any length.
    """

    at_once: int
    count: Count
    step: timedelta = timedelta(days=1)

    def exactly(self, window: Window) -> tuple[Window, int] | None:
        """The part of any window between its first and its last whole step since 1970, and how many records are in it;
        None where nothing lies between them."""
        start = BEGINNING - (BEGINNING - window.start) // self.step * self.step
        end = BEGINNING + (window.end - BEGINNING) // self.step * self.step
        whole = Window(start, end) if start < end else None
        return (whole, self.count([whole])[0]) if whole else None


def counter(connector: Connector[TransportT]) -> Counter | None:
    """What counts the stream's records at the source; None where there is a reason why_not."""
    source, counting = connector.source, connector.capabilities.counting
    if counting is None or why_not(source.system, source.stream_name):
        return None
    return Counter(counting.at_once, connector.count, max(counting.step, _step(source.stream)))


def feed_counter(connector: Connector[TransportT]) -> CountDay | None:
    """What counts the records that a look-up's feed names on a day; None where it has no feed by days."""
    lookup = connector.source.stream.lookup
    if not (connector.capabilities.feed and lookup and lookup.feed):
        return None
    return lambda day: len(connector.feed(day))


def why_not(system: System, stream_name: str) -> str | None:
    """Why the source cannot count the stream's records by window; None where it can."""
    stream = system.streams[stream_name]
    if stream.lookup:
        return "it is asked one value at a time, and lists nothing"
    if stream.cursor is None or stream.cursor.kind == "integer":
        return "its records have no time by which they could be counted"
    if stream.nested:
        return "its records lie within others, and those are what the source would count"
    can = connector_class(system).capabilities.counting is not None
    return None if can else "it has no way to ask how many records a window has"


def _step(stream: Stream) -> timedelta:
    """A cursor of a date and a time can be asked about by whole days only."""
    by_days = stream.cursor is not None and stream.cursor.kind == "date_and_time"
    return timedelta(days=1) if by_days else timedelta.resolution
