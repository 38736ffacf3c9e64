"""Where a load's pages come from: the system itself, through its connector and the one way out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from onefold.catalog.entity import Entity
from onefold.catalog.system import System
from onefold.connectors import confirm, reader
from onefold.connectors.counting import CountDay, Counter, counter, feed_counter
from onefold.connectors.page import PageReader
from onefold.connectors.window import Window
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import WarehouseLimiter
from onefold.load.lookup_keys import lookup_keys
from onefold.load.resume_cursor import resume_cursor
from onefold.load.usage import Usage

if TYPE_CHECKING:
    from onefold.connectors.files.store import Store
    from onefold.connectors.sql.database import Database

Asking = TypeVar("Asking")
Source = Callable[[str, Usage], AbstractContextManager[PageReader]]
"""Opens a stream for reading, by the stream's name; what it asks of the system is counted in the Usage."""


def way_out(system: System, *arguments: object, **named: object) -> Client | Database | Store:
    """The one way to the system, by its protocol; what all take is said there. Only what is needed is imported."""
    match system.protocol:
        case "sql":
            from onefold.connectors.sql.database import Database

            return Database(system, *arguments, **named)
        case "files":
            from onefold.connectors.files.store import store

            return store(system, *arguments, **named)
        case _:
            return Client(system, *arguments, **named)


@contextmanager
def _opened(
    system: System,
    endpoint: Endpoint,
    warehouse_url: str,
    client: Callable[..., Client | Database | Store],
    stream_name: str,
    usage: Usage,
) -> Iterator[Client | Database | Store]:
    """The way out for one stream, while it is needed. The system's rates are kept in the warehouse, with all others who
    ask it; each attempt is counted in the Usage."""
    with (
        closing(WarehouseLimiter(warehouse_url)) as limiter,
        client(system, endpoint, usage.add, limiter, stream=stream_name) as way,
    ):
        yield way


Confirm = Callable[[str, Usage, Sequence[str]], None]
"""Tells the system which records of the stream with this name have been published, by their keys."""


def from_system(
    system: System,
    endpoint: Endpoint,
    warehouse_url: str,
    systems: Mapping[str, System],
    entities: Mapping[str, Entity],
    client: Callable[..., Client | Database | Store] = way_out,
) -> Source:
    """The source that asks the real system; its rate limit and its answer cache are kept in the warehouse.

    `client` makes the way out: a test gives one that does not really sleep between attempts.
    """

    @contextmanager
    def open_stream(stream_name: str, usage: Usage) -> Iterator[PageReader]:
        ask = None
        if system.streams[stream_name].lookup:
            ask = lookup_keys(warehouse_url, system, stream_name, systems, entities, datetime.now(UTC))
        with _opened(system, endpoint, warehouse_url, client, stream_name, usage) as way:
            so_far = resume_cursor(warehouse_url, system.system, stream_name, system.streams[stream_name])
            yield reader(system, stream_name, endpoint, way, ask, so_far)

    return open_stream


CountSource = Callable[[str, Usage], AbstractContextManager[Counter | None]]
"""Opens what counts a stream's records at the source, by the stream's name; what it asks is counted in the Usage."""


def counts_from(
    system: System,
    endpoint: Endpoint,
    warehouse_url: str,
    client: Callable[..., Client | Database | Store] = way_out,
) -> CountSource:
    """The real system's own counts, through the same way out and within the same rates; None where it cannot count."""

    return _asking(counter, system, endpoint, warehouse_url, client)


def source_count(counts: CountSource, stream: str, window: Window, usage: Usage) -> tuple[Window, int] | None:
    """How many records the source has in as much of the window as it can count exactly; None where it cannot."""
    with counts(stream, usage) as counter:
        return counter.exactly(window) if counter else None


FeedSource = Callable[[str, Usage], AbstractContextManager[CountDay | None]]
"""Opens what counts the records that a look-up's feed names on a day; as a CountSource."""


def feed_from(
    system: System,
    endpoint: Endpoint,
    warehouse_url: str,
    client: Callable[..., Client | Database | Store] = way_out,
) -> FeedSource:
    """The real system's own feed, through the same way out and within the same rates; None where there is none."""

    return _asking(feed_counter, system, endpoint, warehouse_url, client)


def _asking(
    made: Callable[..., Asking],
    system: System,
    endpoint: Endpoint,
    warehouse_url: str,
    client: Callable[..., Client | Database | Store],
) -> Callable[[str, Usage], AbstractContextManager[Asking]]:
    """Opens what `made` makes of a stream and its way out."""

    @contextmanager
    def opened(stream_name: str, usage: Usage) -> Iterator[Asking]:
        with _opened(system, endpoint, warehouse_url, client, stream_name, usage) as way:
            yield made(system, stream_name, endpoint, way)

    return opened


def to_system(
    system: System,
    endpoint: Endpoint,
    warehouse_url: str,
    client: Callable[..., Client | Database | Store] = way_out,
) -> Confirm | None:
    """What tells the system that its records are published; None where it need not hear of it."""
    if not (system.python and system.python.confirms):
        return None

    def tell(stream_name: str, usage: Usage, keys: Sequence[str]) -> None:
        with _opened(system, endpoint, warehouse_url, client, stream_name, usage) as way:
            confirm(system, stream_name, endpoint, way, keys)

    return tell
