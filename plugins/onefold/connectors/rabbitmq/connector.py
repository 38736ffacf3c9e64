"""RabbitMQ as a connector. pika is imported when a broker is opened: it takes its time."""

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
    from onefold.connectors.rabbitmq.broker import Broker


class RabbitConnector(Connector["Broker"]):
    """Takes the messages of a queue by way of the inbox (`request.queue`), or reads a stream by its offsets
    (`request.stream`)."""

    capabilities = Capabilities(confirms=True, only_events=True, peeks=True)

    @classmethod
    def open_transport(
        cls,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> Broker:
        from onefold.connectors.rabbitmq.broker import Broker

        return Broker(system, endpoint, on_attempt, **settings)

    @classmethod
    def open_peek(cls, system: System, endpoint: Endpoint) -> Peek:
        from onefold.connectors.rabbitmq.peek import BrokerPeek

        return BrokerPeek(system, endpoint)

    def page_reader(self) -> PageReader:
        from onefold.connectors.rabbitmq.queue import queue_reader
        from onefold.connectors.rabbitmq.stream import stream_reader

        read = queue_reader if self.source.stream.request.queue else stream_reader
        return read(self.source.system, self.source.stream_name, self.transport)

    def confirm(self, checkpoint: str) -> Lag | None:
        """How far the stream is behind; the broker needs to hear nothing more."""
        from onefold.connectors.rabbitmq.queue import queue_lag
        from onefold.connectors.rabbitmq.stream import stream_lag

        lag = queue_lag if self.source.stream.request.queue else stream_lag
        return lag(self.source.system, self.source.stream_name, self.transport, checkpoint)
