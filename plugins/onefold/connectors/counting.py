"""What a source can count itself: how many records of a stream have their cursor in each of some windows.

A count costs the source one query and us one number, so it comes before any reading (reconcile/count_comparison.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from onefold.catalog.system import System
from onefold.connectors import own_module
from onefold.connectors.window import BEGINNING, Window
from onefold.http.endpoint import Endpoint

if TYPE_CHECKING:
    from onefold.connectors.files.store import Store
    from onefold.connectors.sql.database import Database
    from onefold.http.client import Client

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


def feed_counter(
    system: System, stream_name: str, endpoint: Endpoint, http: Client | Database | Store
) -> CountDay | None:
    """What counts the records that a look-up's feed names on a day; None where it has no feed by days."""
    lookup = system.streams[stream_name].lookup
    own = getattr(own_module(system), "feed_counter", None) if system.python and lookup and lookup.feed else None
    return own(system, stream_name, endpoint, http) if own else None


def counter(system: System, stream_name: str, endpoint: Endpoint, http: Client | Database | Store) -> Counter | None:
    """What counts the stream's records at the source; None where there is a reason why_not."""
    if why_not(system, stream_name):
        return None
    if system.python:
        return own_module(system).counter(system, stream_name, endpoint, http)
    if system.protocol == "sql":
        from onefold.connectors.sql.counting import sql_counter

        return sql_counter(system, stream_name, http)
    from onefold.connectors.odata.reader import odata_counter

    return odata_counter(system, stream_name, http)


def why_not(system: System, stream_name: str) -> str | None:
    """Why the source cannot count the stream's records by window; None where it can."""
    stream = system.streams[stream_name]
    if stream.lookup:
        return "it is asked one value at a time, and lists nothing"
    if stream.cursor is None or stream.cursor.kind == "integer":
        return "its records have no time by which they could be counted"
    if stream.nested:
        return "its records lie within others, and those are what the source would count"
    can = hasattr(own_module(system), "counter") if system.python else system.protocol in ("sql", "odata")
    return None if can else "it has no way to ask how many records a window has"
