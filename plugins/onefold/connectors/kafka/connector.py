"""Kafka as a connector. Its client is imported when a cluster is opened: it takes its time."""

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
    from onefold.connectors.kafka.cluster import KafkaCluster


class KafkaConnector(Connector["KafkaCluster"]):
    """Reads the messages of a topic by their offsets. Nothing is written at the source: no group is joined, and no
    offset is committed there."""

    capabilities = Capabilities(confirms=True, only_events=True, peeks=True)

    @classmethod
    def open_transport(
        cls,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> KafkaCluster:
        from onefold.connectors.kafka.cluster import KafkaCluster

        return KafkaCluster(system, endpoint, on_attempt, **settings)

    @classmethod
    def open_peek(cls, system: System, endpoint: Endpoint) -> Peek:
        from onefold.connectors.kafka.peek import TopicPeek

        return TopicPeek(system, endpoint)

    def page_reader(self) -> PageReader:
        from onefold.connectors.kafka.reader import kafka_reader

        return kafka_reader(self.source.system, self.source.stream_name, self.transport)

    def confirm(self, checkpoint: str) -> Lag | None:
        """A topic keeps nothing for its readers: only how far the stream is behind is asked."""
        from onefold.connectors.kafka.position import Checkpoint
        from onefold.connectors.kafka.state import lag, state_of

        held = Checkpoint.of(checkpoint, self.source.named)
        state = state_of(self.transport, self.source.stream.request.topic or "")
        return lag(held, state) if state else None
