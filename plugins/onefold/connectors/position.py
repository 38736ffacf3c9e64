"""Where in its source a window begins or ends, or how far a stream is published: an ordered value of one kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime

from onefold.connectors.cursor import cursor_text
from onefold.errors import Fatal


class Position(ABC):
    """A place in a source, ordered among the positions of its kind. `str` of it is what messages show.

    The kinds of today are a time and an integer cursor value. A kind for a log (Kafka offset, LSN) is one more frozen
    dataclass: its fields are the source's identity (cluster id; system identifier and slot) and the place in the log,
    its `text` is the place at a fixed width (in PostgreSQL the commit's position, then the number inside the
    transaction), and its `comparable` demands the same identity as well. A source that was recreated or failed over is
    then an error: the greater of two unrelated positions is never taken.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def kind(self) -> str:
        """What messages call this kind of position."""

    @property
    @abstractmethod
    def text(self) -> str:
        """Text of fixed width whose order is the order of the source."""

    def comparable(self, other: Position) -> bool:
        """Whether the two have an order."""
        return type(self) is type(other)

    def __lt__(self, other: Position) -> bool:
        """Raises Fatal when the two have no order."""
        if not self.comparable(other):
            raise Fatal(
                f"{self.kind} {self} and {other.kind} {other} have no order: they are positions of different kinds or "
                "of different sources. If the source or the kind of its cursor was changed, load the stream anew."
            )
        return self.text < other.text


@dataclass(frozen=True, slots=True)
class TimePosition(Position):
    """An instant. Raises Fatal when it has no time zone."""

    at: datetime

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise Fatal("a window needs a time zone on both ends, for example 2026-01-31T00:00:00Z")

    def __str__(self) -> str:
        return f"{self.at:%FT%TZ}"

    @property
    def kind(self) -> str:
        return "time"

    @property
    def text(self) -> str:
        return cursor_text(self.at)


@dataclass(frozen=True, slots=True)
class IntegerPosition(Position):
    """The value of an integer cursor, zero or more. Raises Fatal when it is less."""

    value: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise Fatal(f"an integer cursor is zero or more, not {self.value}")

    def __str__(self) -> str:
        return str(self.value)

    @property
    def kind(self) -> str:
        return "integer cursor"

    @property
    def text(self) -> str:
        return f"{self.value:020d}"


def position_of(end: Position | datetime) -> Position:
    """The end of a window as a position: a datetime becomes a time. Raises Fatal when it has no time zone."""
    return TimePosition(end) if isinstance(end, datetime) else end


def time_of(position: Position) -> datetime:
    """The instant of a position. Raises Fatal when it is of another kind than time."""
    if not isinstance(position, TimePosition):
        raise Fatal(
            f"{position.kind} {position} is not a time, and the stream is read by times only: name a window of times"
        )
    return position.at
