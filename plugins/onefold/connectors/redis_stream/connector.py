"""Redis streams as a connector. redis-py is imported when a server is opened: it takes its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Unpack

from onefold.catalog.system import System
from onefold.connectors.capabilities import Capabilities
from onefold.connectors.connector import Connector
from onefold.connectors.lag import Lag
from onefold.connectors.page import PageReader
from onefold.connectors.peek import Peek
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.persistent import AttemptSettings

if TYPE_CHECKING:
    from onefold.connectors.redis_stream.server import RedisServer


class RedisStreamConnector(Connector["RedisServer"]):
    """Reads the entries of a stream by their ids. Nothing is written at the source, which keeps what its producers let
    it keep."""

    capabilities = Capabilities(confirms=True, only_events=True, peeks=True)

    @classmethod
    def open_transport(
        cls,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> RedisServer:
        from onefold.connectors.redis_stream.server import RedisServer

        return RedisServer(system, endpoint, on_attempt, **settings)

    @classmethod
    def open_peek(cls, system: System, endpoint: Endpoint) -> Peek:
        from onefold.connectors.redis_stream.peek import StreamPeek

        return StreamPeek(system, endpoint)

    def page_reader(self) -> PageReader:
        from onefold.connectors.redis_stream.reader import redis_stream_reader

        return redis_stream_reader(self.source.system, self.source.stream_name, self.transport)

    def confirm(self, checkpoint: str) -> Lag | None:
        """A stream keeps nothing for its readers: only how far it is behind is asked."""
        from onefold.connectors.redis_stream.position import Checkpoint
        from onefold.connectors.redis_stream.state import lag, state_of

        held = Checkpoint.of(checkpoint, self.source.named)
        state = state_of(self.transport, self.source.stream.request.stream or "")
        return lag(held, state) if state else None
