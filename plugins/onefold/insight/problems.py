"""What is wrong with the streams, the worst first, each with its reason and what to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from onefold.insight.streams import StreamStatus


class Severity(IntEnum):
    """How bad; the greater, the worse."""

    NOTICE = 1
    WARNING = 2
    ERROR = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one stream. `kind` is one of: rejected, late, drift, quarantine,
    withheld."""

    severity: Severity
    kind: str
    system: str
    stream: str
    text: str
    since: datetime | None


def problems(statuses: Iterable[StreamStatus], now: datetime) -> Sequence[Problem]:
    """Of all streams: the worst first, then by system and stream."""
    found = [each for status in statuses for each in _of(status, now)]
    return sorted(found, key=lambda each: (-each.severity, each.system, each.stream, each.kind))


def _of(status: StreamStatus, now: datetime) -> Iterator[Problem]:
    def problem(severity: Severity, kind: str, text: str, since: datetime | None = None) -> Problem:
        return Problem(severity, kind, status.system, status.stream, text, since)

    last = status.last_load
    if last is not None and last.state == "rejected":
        text = f"The last load was rejected: {last.error or 'no reason is recorded'}"
        yield problem(Severity.ERROR, "rejected", text, last.ended_at)
    if status.is_stale(now):
        text = "Older than its freshness SLA allows"
        yield problem(Severity.ERROR, "late", text, status.current_as_of)
    if status.drifted:
        text = f"{status.drifted:,} records differ from the source"
        yield problem(Severity.WARNING, "drift", text, status.drifted_since)
    if status.open_quarantine:
        yield problem(Severity.WARNING, "quarantine", f"{status.open_quarantine:,} rows wait in quarantine")
    if status.withheld:
        yield problem(Severity.NOTICE, "withheld", f"{status.withheld:,} values are withheld from published records")
