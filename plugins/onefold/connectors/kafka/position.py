"""Positions in a topic, and the checkpoint that is kept of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import msgspec

from onefold.connectors.stored_position import stored

Offsets = dict[int, int]
"""By partition, the offset of the next message."""


def cursor(epoch: int, partition: int, offset: int, place: int) -> str:
    """What orders a record: the epoch of the reading, its message's partition and offset, then its place within the
    message's body, all at a fixed width. (A key is always in one partition, until their number changes.)"""
    return f"{epoch:010d}.{partition:010d}.{offset:020d}.{place:06d}"


def shown(offsets: Offsets) -> str:
    """Offsets as messages show them: 0:17, 1:4"""
    return ", ".join(f"{partition}:{offset}" for partition, offset in sorted(offsets.items()))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a stream is published.

    `cluster` and `topic_id` say whose offsets they are; `topic_id` is empty where the cluster gives none. `epoch` is
    when the topic was first read, read anew, or got more partitions, in seconds since 1970: from there on a key may be
    in another partition. `as_of` is when the offsets were the topic's end; None: nothing is published.
    """

    cluster: str
    topic_id: str
    epoch: int
    offsets: Offsets
    as_of: datetime | None = None

    def text(self) -> str:
        """The checkpoint as it is stored."""
        return msgspec.json.encode(asdict(self)).decode()

    @classmethod
    def of(cls, text: str, named: str) -> Checkpoint:
        """The stored checkpoint. Raises Fatal when it is none of this kind."""
        with stored(named, "position in a topic of Kafka"):
            return msgspec.json.decode(text, type=cls)
