"""Reads a topic by offsets, from the published ones to those that were its partitions' ends when the load began.

A stream without published offsets (it is new, was rolled back, or is loaded anew) is read from the oldest messages.
The partitions are assigned, without a group: which messages a load reads is nobody else's to decide.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from onefold.catalog.system import System
from onefold.connectors.emptied import Emptied
from onefold.connectors.kafka.cluster import OUT_OF_RANGE, Clients, KafkaCluster
from onefold.connectors.kafka.position import Checkpoint, Offsets, cursor
from onefold.connectors.kafka.state import lag, lost, require_nothing_lost, require_state
from onefold.connectors.message_records import MessageRecords
from onefold.connectors.page import Page, PageReader
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record
from onefold.connectors.stored_position import anew
from onefold.connectors.window import Window
from onefold.errors import Fatal
from onefold.http.failure import Again

ROWS = 10_000
"""Messages of a page where the YAML's next.size does not say."""
BYTES = 16 << 20
"""Of a page's messages; the one that reaches it is the last."""
WAIT = 0.1
"""Seconds for which the client collects messages before it gives those that it has."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a load stands: the offsets that it reads next. It ends with `end`. `since`: when a message said that the
    table was emptied, where one has."""

    held: Checkpoint
    end: Checkpoint
    at: Offsets
    since: datetime | None = None

    def token(self) -> str:
        return msgspec.json.encode([self.held.text(), self.end.text(), self.at, self.since]).decode()

    @classmethod
    def of(cls, token: str, named: str) -> Place:
        held, end, at, since = msgspec.json.decode(token, type=tuple[str, str, Offsets, datetime | None])
        return cls(Checkpoint.of(held, named), Checkpoint.of(end, named), at, since)


def kafka_reader(system: System, stream_name: str, cluster: KafkaCluster) -> PageReader:
    """Reads the pages of one stream. Raises Fatal when messages are missing after the published offsets."""
    return _Reader(system, stream_name, cluster).read


class _Reader:
    def __init__(self, system: System, stream_name: str, cluster: KafkaCluster) -> None:
        stream = system.streams[stream_name]
        self._named = f"{system.system}.{stream_name}"
        self._cluster = cluster
        self._topic = stream.request.topic or ""
        self._records = MessageRecords(system, stream_name)
        self._most = stream.next.size or ROWS

    def read(self, window: Window, token: str | None) -> Iterator[Page]:
        """The pages of the load; the window's times say nothing here."""
        if token is not None:
            place = Place.of(token, self._named)
            state = require_state(self._cluster, self._topic, self._named)
            require_nothing_lost(replace(place.held, offsets=place.at), state, self._named)
            yield from self._pages(place)
            return
        state = require_state(self._cluster, self._topic, self._named)
        oldest = {partition: low for partition, (low, _) in state.bounds.items()}
        stored = window.checkpoints.get("")
        if stored is None:
            held = Checkpoint(state.cluster, state.topic_id, int(state.at.timestamp()), oldest)
        else:
            held = Checkpoint.of(stored, self._named)
            require_nothing_lost(held, state, self._named)
        ends = {partition: state.ends[partition] for partition in held.offsets}
        end = replace(held, offsets=ends, topic_id=state.topic_id, as_of=state.at)
        if new := oldest.keys() - held.offsets.keys():
            end = self._with_new(end, {partition: oldest[partition] for partition in new})
        place = Place(held, end, held.offsets)
        yield Page([], datetime.now(UTC), place.token(), lag=lag(held, state))
        yield from self._pages(place)

    def _with_new(self, end: Checkpoint, new: Offsets) -> Checkpoint:
        """New partitions are read from the next load on, in an epoch of its own: keys are in other partitions then, and
        what the old ones have of them by now is older."""
        log.info(
            "%s: the topic has %s more partitions (%s), which the next load begins to read",
            *(self._named, len(new), ", ".join(map(str, sorted(new)))),
        )
        epoch = max(end.epoch + 1, int(datetime.now(UTC).timestamp()))
        return replace(end, epoch=epoch, offsets=end.offsets | new)

    def _pages(self, place: Place) -> Iterator[Page]:
        at, ends = dict(place.at), place.end.offsets
        behind = {partition for partition, offset in at.items() if offset < ends[partition]}
        self._assign(place, behind)
        records: list[Record] = []
        size = 0
        while behind:
            for message in self._messages(place.held):
                partition, offset = message.partition, message.offset
                if partition not in behind:
                    continue
                if message.is_end or offset >= ends[partition]:
                    # The end may be marks of transactions, or transactions that are still open: no message is there.
                    at[partition] = min(offset, ends[partition])
                    behind.remove(partition)
                    continue
                for record in self._of(place.held.epoch, message):
                    if not isinstance(record, Emptied):
                        records.append(record)
                        continue
                    self._require_one_partition(at)
                    if records:
                        yield Page(records, datetime.now(UTC), replace(place, at=at).token())
                        records, size = [], 0
                    place = replace(place, since=datetime.now(UTC))
                at[partition] = offset + 1
                size += len(message.value or b"")
                if at[partition] == ends[partition]:
                    behind.remove(partition)
                if len(records) >= self._most or size > BYTES:
                    yield Page(records, datetime.now(UTC), replace(place, at=at).token())
                    records, size = [], 0
        checkpoint = replace(place.end, offsets=ends | at).text()
        ended = (Partition("", checkpoint, snapshot_since=place.since),)
        yield Page(records, datetime.now(UTC), None, ended=ended)

    def _assign(self, place: Place, partitions: set[int]) -> None:
        def assign(clients: Clients) -> tuple[None, int]:
            clients.consumer.assign([TopicPartition(self._topic, each, place.at[each]) for each in partitions])
            return None, 0

        self._cluster.ask("ASSIGN", self._topic, assign)

    def _messages(self, held: Checkpoint) -> list[_Message]:
        """Some messages that follow, and the ends of partitions."""

        def consume(clients: Clients) -> tuple[list[_Message], int]:
            deadline = time.monotonic() + clients.timeout
            while time.monotonic() < deadline:
                found = clients.consumer.consume(self._most, WAIT)
                errors = [each for each in map(Message.error, found) if each and each.code() != _END]
                if any(each.code() in OUT_OF_RANGE for each in errors):
                    raise lost(self._named, held, "messages were removed while they were read")
                if errors and len(errors) == len(found):
                    raise KafkaException(errors[0])
                if found:
                    good = [_message(each) for each in found if not (error := each.error()) or error.code() == _END]
                    return good, sum(len(each.value or b"") for each in good)
            raise Again(f"no message came within {clients.timeout:.0f} s")

        return self._cluster.ask("FETCH", self._topic, consume)

    def _of(self, epoch: int, message: _Message) -> Iterator[Record | Emptied]:
        """What the message says. Where that has no order of its own, the order of the offsets is that of versions."""
        for place, record in enumerate(self._records.of(message.value, message.key)):
            if isinstance(record, Emptied) or self._records.ordered:
                yield record
            else:
                stamp = cursor(epoch, message.partition, message.offset, place)
                yield Record(record.key, stamp, record.deleted, record.payload)

    def _require_one_partition(self, offsets: Offsets) -> None:
        """A table that was emptied is told in one partition, and which messages of the others come before that is not
        known."""
        if len(offsets) > 1:
            raise Fatal(
                f"{self._named}: the table was emptied (TRUNCATE), and the topic has {len(offsets)} partitions: which "
                "of their messages come before that cannot be told. Leave truncates out at the connector "
                f"(skipped.operations=t), or give it a topic of one partition, and load that anew: {anew(self._named)}"
            )


class _Message(NamedTuple):
    """A message, or, where `is_end` says so, the offset at which a partition ends for now."""

    partition: int
    offset: int
    is_end: bool
    key: bytes | None
    value: bytes | None


_END = KafkaError._PARTITION_EOF


def _message(given: Message) -> _Message:
    partition, offset = given.partition(), given.offset()
    if partition is None or offset is None:
        raise Fatal("Kafka's client gave a message without an offset. Please report it as a bug.")
    if given.error():
        return _Message(partition, offset, is_end=True, key=None, value=None)
    return _Message(partition, offset, is_end=False, key=_bytes(given.key()), value=_bytes(given.value()))


def _bytes(given: str | bytes | None) -> bytes | None:
    return given.encode() if isinstance(given, str) else given
