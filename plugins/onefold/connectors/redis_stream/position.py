"""Positions in a Redis stream, and the checkpoint that is kept of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import msgspec

from onefold.connectors.stored_position import stored


@dataclass(frozen=True, slots=True, order=True)
class EntryId:
    """An entry's id. Its two numbers are compared as numbers: as text, 5-13 would come before 5-9."""

    milliseconds: int
    sequence: int

    @classmethod
    def parse(cls, text: bytes | str) -> EntryId:
        """Raises ValueError when the text is no id."""
        first, _, second = (text.decode() if isinstance(text, bytes) else text).partition("-")
        return cls(int(first), int(second))

    def __str__(self) -> str:
        return f"{self.milliseconds}-{self.sequence}"


FIRST = EntryId(0, 0)
"""Below every entry's id."""


def cursor(epoch: int, entry: EntryId, place: int) -> str:
    """What orders a record: the epoch of the reading, its entry's id, then its place within the entry's body, all at a
    fixed width."""
    return f"{epoch:010d}.{entry.milliseconds:020d}.{entry.sequence:020d}.{place:06d}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a stream is published.

    `added` is how many entries the stream had ever been given when `position` was its last one: a stream that was
    trimmed, or was made anew, does not add up with that (state.py). `epoch` is when the stream was first read, or read
    anew, by the source's clock in seconds since 1970: ids of a stream that was made anew may be lower than before.
    `as_of` is when the position was the stream's end, by the source's clock; None: nothing is published.
    """

    stream: str
    position: EntryId
    added: int
    epoch: int
    as_of: datetime | None = None

    def text(self) -> str:
        """The checkpoint as it is stored."""
        return msgspec.json.encode(asdict(self) | {"position": str(self.position)}).decode()

    @classmethod
    def of(cls, text: str, named: str) -> Checkpoint:
        """The stored checkpoint. Raises Fatal when it is none of this kind."""
        with stored(named, "position in a Redis stream"):
            found = msgspec.json.decode(text, type=_Stored)
            return cls(found.stream, EntryId.parse(found.position), found.added, found.epoch, found.as_of)


class _Stored(msgspec.Struct):
    stream: str
    position: str
    added: int
    epoch: int
    as_of: datetime | None
