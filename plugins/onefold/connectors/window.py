"""Which span of a stream a load reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from onefold.connectors.lookup import LookupScope
from onefold.connectors.position import IntegerPosition, Position, position_of, time_of
from onefold.errors import Fatal

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, init=False)
class Window:
    """The half-open span [from_position, to_position) of a stream that a load brings, both of one kind.

    Times are what today's sources are asked for: they may be given as datetimes, and `start` and `end` give them back.
    `checkpoints` are what the reader handed over with the loads published so far (Partition.checkpoint), by partition.
    There are none when a run names its window: such a stream is then read from scratch, as a snapshot. So it is when
    somebody asks for it `anew`: what a reader keeps at the source to go on from, it then lets go. `compares`: what is
    read is only compared, so nothing may be left or changed at the source. `scope` says which keys a look-up is asked
    about; other streams ignore it.

    Raises Fatal when the ends have no order (two kinds, two sources, a time without a zone), or the first is not before
    the second.
    """

    from_position: Position
    to_position: Position
    checkpoints: Mapping[str, str] = field(compare=False, repr=False)
    scope: LookupScope
    anew: bool
    compares: bool = field(compare=False)

    def __init__(
        self,
        from_position: Position | datetime,
        to_position: Position | datetime,
        checkpoints: Mapping[str, str] | None = None,
        scope: LookupScope = "open",
        *,
        anew: bool = False,
        compares: bool = False,
    ) -> None:
        first, after = position_of(from_position), position_of(to_position)
        if not first < after:
            raise Fatal(f"the window starts at {first}, not before its end {after}: swap them")
        object.__setattr__(self, "from_position", first)
        object.__setattr__(self, "to_position", after)
        object.__setattr__(self, "checkpoints", checkpoints or {})
        object.__setattr__(self, "scope", scope)
        object.__setattr__(self, "anew", anew)
        object.__setattr__(self, "compares", compares)

    @property
    def start(self) -> datetime:
        """The first instant. Raises Fatal when this is no window of times."""
        return time_of(self.from_position)

    @property
    def end(self) -> datetime:
        """The instant after the last. Raises Fatal when this is no window of times."""
        return time_of(self.to_position)


ResumeCursor = Callable[[Window], IntegerPosition | None]
"""The integer cursor up to which the stream is published, where that reaches to the window's start; else None."""
