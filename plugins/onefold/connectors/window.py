"""Which stretch of a stream a load reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from onefold.connectors.lookup import LookupScope
from onefold.errors import Fatal

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """The half-open span [start, end) of a stream's cursor that a load brings; both ends in UTC.

    `checkpoints` are what the reader handed over with the loads published so far (Partition.checkpoint), by partition.
    There are none when a run names its window: such a stream is then read from scratch, as a snapshot. `scope` says
    which keys a look-up is asked about; other streams ignore it.
    """

    start: datetime
    end: datetime
    checkpoints: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    scope: LookupScope = "open"

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise Fatal("a window needs a time zone on both ends, for example 2026-01-31T00:00:00Z")
        if self.start >= self.end:
            raise Fatal(f"the window starts at {self.start:%FT%TZ}, not before its end {self.end:%FT%TZ}: swap them")


ResumeCursor = Callable[[Window], int | None]
"""The integer cursor up to which the stream is published, where that reaches to the window's start; else None."""
