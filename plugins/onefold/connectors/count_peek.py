"""Whether records have come since the last load, by a count: of sources that tell nothing by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Generic, Self

from onefold.catalog.system import System
from onefold.connectors.connector import Connector, StreamSource, TransportT
from onefold.connectors.peek import asked_once
from onefold.connectors.window import Window
from onefold.http.endpoint import Endpoint


class CountPeek(Generic[TransportT]):
    """Counts what has changed since the end of the last window that is published: one request a stream.

    What is stamped earlier and seen later is no count of it: the next load at its time has it, by its look-back.
    """

    def __init__(self, connector: type[Connector[TransportT]], system: System, endpoint: Endpoint) -> None:
        self._connector = connector
        self._system = asked_once(system)
        self._endpoint = endpoint
        self._streams = (system.look.streams if system.look else []) or list(system.streams)
        self._ways = ExitStack()
        self._transport: TransportT | None = None

    def __enter__(self) -> Self:
        self._transport = self._connector.open_transport(self._system, self._endpoint, lambda attempt: None)
        self._ways.enter_context(self._transport)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None, /
    ) -> None:
        self._ways.close()

    def has_more(self, stream_name: str, checkpoints: Mapping[str, str]) -> bool:
        """As Peek says."""
        if stream_name not in self._streams or self._transport is None:
            return False
        if "" not in checkpoints:
            return False  # the first load begins at its time
        # A source stamps whole seconds: what it stamps with the second of the window's end may have come after it.
        start, end = datetime.fromisoformat(checkpoints[""]).replace(microsecond=0), datetime.now(UTC)
        if start >= end:
            return False
        connector = self._connector(StreamSource(self._system, stream_name, self._endpoint), self._transport)
        return connector.count([Window(start, end)])[0] > 0
