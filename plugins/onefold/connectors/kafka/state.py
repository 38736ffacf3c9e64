"""What a topic is at one look, and whether every message since the published offsets is still there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from confluent_kafka import TopicPartition

from onefold.connectors.kafka.cluster import Clients, KafkaCluster
from onefold.connectors.kafka.position import Checkpoint, shown
from onefold.connectors.lag import Lag
from onefold.connectors.stored_position import anew
from onefold.errors import Fatal


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic: its cluster's id and its own, and of each partition the offset of the oldest message and the one that
    the next message will have."""

    cluster: str
    topic_id: str
    bounds: dict[int, tuple[int, int]]
    at: datetime

    @property
    def ends(self) -> dict[int, int]:
        return {partition: high for partition, (_, high) in self.bounds.items()}


def state_of(cluster: KafkaCluster, topic: str) -> TopicState | None:
    """None where there is no such topic."""

    def look(clients: Clients) -> tuple[TopicState | None, int]:
        found = clients.consumer.list_topics(topic, clients.timeout)
        partitions = found.topics[topic].partitions
        if not partitions:
            return None, 0
        at = datetime.now(UTC)
        bounds = {
            partition: clients.consumer.get_watermark_offsets(TopicPartition(topic, partition), clients.timeout)
            for partition in sorted(partitions)
        }
        return TopicState(found.cluster_id or "", clients.topic_id(topic), bounds, at), 0

    return cluster.ask("METADATA", topic, look)


def require_state(cluster: KafkaCluster, topic: str, named: str) -> TopicState:
    """The topic's state. Raises Fatal where there is no such topic."""
    state = state_of(cluster, topic)
    if state is None:
        raise Fatal(
            f"{named}: the cluster has no topic {topic}, or its login may not see it. Compare request.topic in the "
            f"system's YAML with the producer. If it was deleted and will be made anew, load it anew then: "
            f"{anew(named)} (docs/kafka.md)."
        )
    return state


def require_nothing_lost(held: Checkpoint, state: TopicState, named: str) -> None:
    """See that the topic has all that follows the published offsets. Raises Fatal when it has not."""
    if state.cluster != held.cluster:
        raise lost(named, held, f"they are of the cluster {held.cluster}, and the connection leads to {state.cluster}")
    made_anew = held.topic_id and state.topic_id and held.topic_id != state.topic_id
    if made_anew or not held.offsets.keys() <= state.bounds.keys():
        raise lost(named, held, "the topic was deleted and made anew")
    for partition, offset in sorted(held.offsets.items()):
        low, high = state.bounds[partition]
        if offset < low:
            raise lost(
                *(named, held),
                f"partition {partition} begins at {low}: {low - offset:,} messages were removed before they were read "
                "(retention.ms, retention.bytes)",
            )
        if offset > high:
            raise lost(
                *(named, held),
                f"partition {partition} ends at {high}: it was made anew, restored, or has failed over to a replica "
                "that lacked messages",
            )


def lost(named: str, held: Checkpoint, what: str) -> Fatal:
    """What is raised when messages after the published offsets are not there."""
    return Fatal(
        f"{named}: not all messages after the offsets {shown(held.offsets)} can be had: {what}. Nothing was loaded, "
        "and what is published stays. Let the topic keep more, then read on from the oldest messages that are there: "
        f"{anew(named)} (docs/kafka.md)."
    )


def lag(held: Checkpoint, state: TopicState) -> Lag:
    """How far what is published is behind. Offsets are counted: some may hold no message (transactions, compaction)."""
    messages = sum(max(high - held.offsets.get(each, low), 0) for each, (low, high) in state.bounds.items())
    behind = None if held.as_of is None else max(state.at - held.as_of, timedelta())
    return Lag(
        position=shown(held.offsets),
        log_end=shown(state.ends),
        behind=behind if messages else timedelta(),
        lag_messages=messages,
    )
