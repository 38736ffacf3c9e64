"""What a source can count itself: how many records of a stream have their cursor in each of some windows.

A count costs the source one query and us one number, so it comes before any reading (reconcile/narrow.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from onefold.catalog.system import System
from onefold.connectors import own_module
from onefold.connectors.page import Endpoint, Window

if TYPE_CHECKING:
    from onefold.connectors.database import Database
    from onefold.connectors.file_store import Store
    from onefold.http.client import Client

Count = Callable[[Sequence[Window]], list[int]]
CountDay = Callable[[date], int]


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts the records of each of these windows, which begin and end at midnight UTC (or the last one: now).

    `at_once` is how many windows are worth asking about in one round: many where all are one query, few where each is
    a request.
    """

    at_once: int
    count: Count


def feed_counter(
    system: System, stream_name: str, endpoint: Endpoint, http: Client | Database | Store
) -> CountDay | None:
    """What counts the records that a look-up's feed names on a day; None where it has no feed by days."""
    lookup = system.streams[stream_name].lookup
    own = getattr(own_module(system), "feed_counter", None) if system.python and lookup and lookup.feed else None
    return own(system, stream_name, endpoint, http) if own else None


def counter(system: System, stream_name: str, endpoint: Endpoint, http: Client | Database | Store) -> Counter | None:
    """What counts the stream's records at the source; None where the protocol cannot, or the stream has no time."""
    stream = system.streams[stream_name]
    if stream.cursor is None or stream.cursor.kind == "integer" or stream.nested or stream.lookup:
        return None
    if system.python:
        own = getattr(own_module(system), "counter", None)
        return own(system, stream_name, endpoint, http) if own else None
    match system.protocol:
        case "sql":
            from onefold.connectors.sql_counting import sql_counter

            return sql_counter(system, stream_name, http)
        case "odata":
            from onefold.connectors.odata import odata_counter

            return odata_counter(system, stream_name, http)
        case _:
            return None
