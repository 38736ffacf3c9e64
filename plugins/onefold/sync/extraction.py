"""Where a load's pages come from: the system itself, through its connector and the one way out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime

from onefold.catalog.entity import Entity
from onefold.catalog.system import System
from onefold.connectors import reader
from onefold.connectors.page import Endpoint, PageReader
from onefold.http.client import Client
from onefold.http.limit import WarehouseLimiter
from onefold.sync.usage import Usage
from onefold.warehouse.questions import questions

Source = Callable[[str, Usage], AbstractContextManager[PageReader]]
"""Opens a stream for reading, by the stream's name; what it asks of the system is counted in the Usage."""


def from_system(
    system: System,
    endpoint: Endpoint,
    warehouse_url: str,
    systems: Mapping[str, System],
    entities: Mapping[str, Entity],
    client: Callable[..., Client] = Client,
) -> Source:
    """The source that asks the real system; its rate limit and its answer cache are kept in the warehouse.

    `client` makes the way out: a test gives one that does not really sleep between attempts.
    """

    @contextmanager
    def open_stream(stream_name: str, usage: Usage) -> Iterator[PageReader]:
        ask = None
        if system.streams[stream_name].lookup:
            ask = questions(warehouse_url, system, stream_name, systems, entities, datetime.now(UTC))
        with (
            closing(WarehouseLimiter(warehouse_url)) as limiter,
            client(system, endpoint, usage.add, limiter, stream=stream_name) as http,
        ):
            yield reader(system, stream_name, endpoint, http, ask)

    return open_stream
