"""Where a load's pages come from: the system itself, through its connector."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime

from onefold.catalog.entity import Entity
from onefold.catalog.system import System
from onefold.connectors.connector import Connector, StreamSource, Transport
from onefold.connectors.counting import CountDay, Counter, counter, feed_counter
from onefold.connectors.key_listing import key_system
from onefold.connectors.lag import Lag
from onefold.connectors.listing import whole_listing
from onefold.connectors.page import PageReader
from onefold.connectors.registry import OpenTransport, connector_class, open_transport
from onefold.connectors.window import Window
from onefold.http.endpoint import Endpoint
from onefold.http.limit import WarehouseLimiter
from onefold.load.lookup_keys import lookup_keys
from onefold.load.resume_cursor import resume_cursor
from onefold.load.usage import Usage

Source = Callable[[str, Usage], AbstractContextManager[PageReader]]
"""Opens a stream for reading, by the stream's name; what it asks of the system is counted in the Usage."""

CountSource = Callable[[str, Usage], AbstractContextManager[Counter | None]]
"""Opens what counts a stream's records at the source, by the stream's name; what it asks is counted in the Usage."""

FeedSource = Callable[[str, Usage], AbstractContextManager[CountDay | None]]
"""Opens what counts the records that a look-up's feed names on a day; as a CountSource."""

Acknowledge = Callable[[str, Usage, Sequence[str]], None]
"""Tells the system which records of the stream with this name have been published, by their keys."""


Confirm = Callable[[str, Usage, str], Lag | None]
"""Tells the system up to where the log of the stream with this name is published, by the stored checkpoint; returns how
far the stream is behind after that."""


@contextmanager
def _opened(
    source: StreamSource, warehouse_url: str, transport: OpenTransport, usage: Usage
) -> Iterator[Connector[Transport]]:
    """The stream's connector, while it is needed. The system's rates are stored in the warehouse, with all others who
    ask it; each attempt is counted in the Usage."""
    system = source.system
    with (
        closing(WarehouseLimiter(warehouse_url)) as limiter,
        transport(system, source.endpoint, usage.add, limiter=limiter, stream=source.stream_name) as opened,
    ):
        yield connector_class(system)(source, opened)


def from_system(
    system: System,
    endpoint: Endpoint,
    warehouse_url: str,
    systems: Mapping[str, System],
    entities: Mapping[str, Entity],
    transport: OpenTransport = open_transport,
) -> Source:
    """The source that asks the real system; its rate limit and its look-ups' results are stored in the warehouse."""

    @contextmanager
    def open_stream(stream_name: str, usage: Usage) -> Iterator[PageReader]:
        stream, keys = system.streams[stream_name], None
        if stream.lookup:
            keys = lookup_keys(warehouse_url, system, stream_name, systems, entities, datetime.now(UTC))
        so_far = resume_cursor(warehouse_url, system.system, stream_name, stream)
        source = StreamSource(system, stream_name, endpoint, keys, so_far)
        with _opened(source, warehouse_url, transport, usage) as connector:
            yield connector.read

    return open_stream


def keys_from_system(
    system: System, endpoint: Endpoint, warehouse_url: str, transport: OpenTransport = open_transport
) -> Source:
    """The source that lists the keys of all records of a stream, for its sweep; within the system's rates."""

    @contextmanager
    def open_stream(stream_name: str, usage: Usage) -> Iterator[PageReader]:
        source = StreamSource(key_system(system, stream_name), stream_name, endpoint)
        with _opened(source, warehouse_url, transport, usage) as connector:
            yield whole_listing(connector.page_reader())

    return open_stream


def counts_from(
    system: System, endpoint: Endpoint, warehouse_url: str, transport: OpenTransport = open_transport
) -> CountSource:
    """The real system's own counts, through the same transport and within the same rates; None where it cannot
    count."""

    @contextmanager
    def opened(stream_name: str, usage: Usage) -> Iterator[Counter | None]:
        with _opened(StreamSource(system, stream_name, endpoint), warehouse_url, transport, usage) as connector:
            yield counter(connector)

    return opened


def source_count(counts: CountSource, stream: str, window: Window, usage: Usage) -> tuple[Window, int] | None:
    """How many records the source has in as much of the window as it can count exactly; None where it cannot."""
    with counts(stream, usage) as counter:
        return counter.exactly(window) if counter else None


def feed_from(
    system: System, endpoint: Endpoint, warehouse_url: str, transport: OpenTransport = open_transport
) -> FeedSource:
    """The real system's own feed, through the same transport and within the same rates; None where there is none."""

    @contextmanager
    def opened(stream_name: str, usage: Usage) -> Iterator[CountDay | None]:
        with _opened(StreamSource(system, stream_name, endpoint), warehouse_url, transport, usage) as connector:
            yield feed_counter(connector)

    return opened


def to_system(
    system: System, endpoint: Endpoint, warehouse_url: str, transport: OpenTransport = open_transport
) -> Acknowledge | None:
    """What tells the system that its records are published; None where it need not hear of it."""
    if not acknowledges(system):
        return None

    def tell(stream_name: str, usage: Usage, keys: Sequence[str]) -> None:
        with _opened(StreamSource(system, stream_name, endpoint), warehouse_url, transport, usage) as connector:
            connector.acknowledge(keys)

    return tell


def confirmation(
    system: System, endpoint: Endpoint, warehouse_url: str, transport: OpenTransport = open_transport
) -> Confirm | None:
    """What tells the system how far its log is published; None where it need not hear of it."""
    if not confirms(system):
        return None

    def tell(stream_name: str, usage: Usage, checkpoint: str) -> Lag | None:
        with _opened(StreamSource(system, stream_name, endpoint), warehouse_url, transport, usage) as connector:
            return connector.confirm(checkpoint)

    return tell


def confirms(system: System) -> bool:
    """Whether the system is told how far its log is published, or says how far a stream is behind."""
    return connector_class(system).capabilities.confirms


def lets_go(system: System) -> bool:
    """Whether the system does not tell again what it was told is published."""
    return connector_class(system).capabilities.lets_go


def acknowledges(system: System) -> bool:
    """Whether the system is told which records have been published."""
    return connector_class(system).capabilities.acknowledges
