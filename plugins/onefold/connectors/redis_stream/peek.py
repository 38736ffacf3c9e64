"""Whether a Redis stream has entries after what is published of it."""

from __future__ import annotations

from collections.abc import Mapping

from onefold.catalog.system import System
from onefold.connectors.peek import asked_once
from onefold.connectors.redis_stream.position import Checkpoint
from onefold.connectors.redis_stream.server import RedisServer
from onefold.connectors.redis_stream.state import state_of
from onefold.http.endpoint import Endpoint


class StreamPeek(RedisServer):
    """A connection to a Redis."""

    def __init__(self, system: System, endpoint: Endpoint) -> None:
        super().__init__(asked_once(system), endpoint, lambda _: None)

    def has_more(self, stream_name: str, checkpoints: Mapping[str, str]) -> bool:
        """As Peek says. A stream that is gone has nothing: that entries are lost, the next load says."""
        state = state_of(self, self._system.streams[stream_name].request.stream or "")
        if state is None:
            return False
        if "" not in checkpoints:
            return state.length > 0
        return state.last > Checkpoint.of(checkpoints[""], f"{self._system.system}.{stream_name}").position
