"""A migration as a person asks for it, and why it cannot be."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from onefold.catalog.limits import OWN_RATE
from onefold.catalog.system import System
from onefold.connectors.past import unaskable
from onefold.connectors.window import Window
from onefold.errors import Fatal
from onefold.service_window import service_window

MOST_CHUNKS = 10_000


@dataclass(frozen=True, slots=True)
class MigrationRequest:
    """A migration as somebody asked for it: these streams of one system, [start, end), a chunk at a time.

    `service_window` is given in mode service_window only; `rate` ('5/s') stands in for the system's own, but
    not for its quota of a day.
    """

    system: str
    streams: tuple[str, ...]
    start: datetime
    end: datetime
    chunk: timedelta
    reason: str
    mode: str = "incremental"
    service_window: str | None = None
    rate: str | None = None

    @property
    def number_of_chunks(self) -> int:
        return math.ceil((self.end - self.start) / self.chunk)

    def chunks(self) -> Iterator[Window]:
        """The window in pieces, the last one as long as what is left."""
        begins = self.start
        while begins < self.end:
            ends = min(begins + self.chunk, self.end)
            yield Window(begins, ends)
            begins = ends

    def as_form(self) -> dict[str, object]:
        """The parameters of a run of the DAG `migrate` that asks for it."""
        return {
            "system": self.system,
            "streams": list(self.streams),
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "chunk_days": self.chunk // timedelta(days=1),
            "mode": self.mode,
            "service_window": self.service_window,
            "rate": self.rate,
            "reason": self.reason,
        }


class NotPossible(Fatal):
    """A migration that cannot be: `field` is what of the request is to be changed."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def possible_system(systems: Mapping[str, System], request: MigrationRequest) -> System:
    """The request's system. Raises NotPossible, with what to do, when the request cannot be."""
    system = systems.get(request.system)
    if system is None:
        raise NotPossible(
            "system", f"There is no system {request.system!r}. There are: {', '.join(systems)}. Nothing was changed."
        )
    if unknown := [stream for stream in request.streams if stream not in system.streams]:
        raise NotPossible(
            "streams",
            f"{request.system} has no stream {', '.join(unknown)}; it has: {', '.join(system.streams)}. "
            "Nothing was changed.",
        )
    if not request.streams:
        raise NotPossible(
            "streams",
            f"Name at least one stream of {request.system}: {', '.join(system.streams)}. Nothing was changed.",
        )
    if not request.reason.strip():
        raise NotPossible(
            "reason", "Say why: the reason is what the person who approves it, and the auditor, will read."
        )
    if request.start >= request.end:
        raise NotPossible("start", f"From ({request.start}) is not before to ({request.end}). Nothing was changed.")
    now = datetime.now(UTC)
    for stream in request.streams:
        if why := unaskable(system, stream, request.start, now):
            field = "start" if why.reason == "before_history" else "streams"
            raise NotPossible(field, f"{why.text} Nothing was changed.")
    if request.end > now:
        raise NotPossible(
            "end", f"To ({request.end}) is in the future. A migration brings what there was; nothing was changed."
        )
    if request.chunk <= timedelta(0) or (request.end - request.start) / request.chunk > MOST_CHUNKS:
        raise NotPossible(
            "chunk",
            f"A chunk of {request.chunk} does not divide this window into 1 to {MOST_CHUNKS:,} pieces. Choose a longer "
            "one; nothing was changed.",
        )
    _require_service_window(request)
    if request.rate is not None and not re.search(OWN_RATE, request.rate):
        raise NotPossible(
            "rate", f"{request.rate!r} is no rate. Write it like 5/s, 100/min, 500/h or 2000/day. Nothing was changed."
        )
    return system


def _require_service_window(request: MigrationRequest) -> None:
    if (request.mode == "service_window") != (request.service_window is not None):
        raise NotPossible(
            "service_window",
            "Mode service_window and the hours of the service window belong together. Nothing was changed.",
        )
    if request.service_window:
        try:
            service_window(request.service_window)
        except Fatal as error:
            raise NotPossible("service_window", str(error)) from None
