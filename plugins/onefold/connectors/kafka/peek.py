"""Whether a topic has messages after what is published of it."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import TopicPartition

from onefold.catalog.system import System
from onefold.connectors.kafka.cluster import Clients, KafkaCluster
from onefold.connectors.kafka.position import Checkpoint
from onefold.connectors.peek import asked_once
from onefold.http.endpoint import Endpoint


class TopicPeek(KafkaCluster):
    """A connection to a Kafka."""

    def __init__(self, system: System, endpoint: Endpoint) -> None:
        super().__init__(asked_once(system), endpoint, lambda _: None)

    def has_more(self, stream_name: str, checkpoints: Mapping[str, str]) -> bool:
        """As Peek says. A topic that is gone has nothing: that messages are lost, the next load says."""
        topic = self._system.streams[stream_name].request.topic or ""
        named = f"{self._system.system}.{stream_name}"
        published = Checkpoint.of(checkpoints[""], named).offsets if "" in checkpoints else {}

        def look(clients: Clients) -> tuple[bool, int]:
            for partition in clients.consumer.list_topics(topic, clients.timeout).topics[topic].partitions:
                place = TopicPartition(topic, partition)
                low, high = clients.consumer.get_watermark_offsets(place, clients.timeout)
                if high > published.get(partition, low):
                    return True, 0
            return False, 0

        return self.ask("METADATA", topic, look)
