"""What is wrong with the streams, the worst first, each with its reason and what to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Literal

from onefold.insight.loads import LoadSummary
from onefold.insight.streams import StreamStatus
from onefold.load.source_slots import StreamSlot
from onefold.text_table import with_noun


class Severity(IntEnum):
    """How bad; the greater, the worse."""

    NOTICE = 1
    WARNING = 2
    ERROR = 3


Kind = Literal[
    "unread", "rejected", "failed", "late", "lag", "retained_log", "unused_slot", "drift", "quarantine", "withheld"
]

TITLES: Mapping[Kind, str] = {
    "unread": "Source not reached, or not read to its end",
    "rejected": "Last load rejected",
    "failed": "Last load did not get through",
    "late": "Late",
    "lag": "Behind its source",
    "retained_log": "Source keeps too much of its log",
    "unused_slot": "Source keeps its log for a stream that is gone",
    "drift": "Records that differ from the source",
    "quarantine": "Rows that wait in quarantine",
    "withheld": "Values withheld from published records",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one stream. `count`: how many records, rows or values it is about; 1 where it is
    about the stream itself. `run`: the DAG and the run that it came up in."""

    severity: Severity
    kind: Kind
    system: str
    stream: str
    text: str
    count: int = 1
    since: datetime | None = None
    run: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        return f"{self.system}.{self.stream}"

    @property
    def title(self) -> str:
        return TITLES[self.kind]

    @property
    def is_counted(self) -> bool:
        """Whether it is about some records of the stream, and not the stream itself."""
        return self.kind in ("drift", "quarantine", "withheld")


def problems(statuses: Iterable[StreamStatus], now: datetime, slots: Iterable[StreamSlot] = ()) -> Sequence[Problem]:
    """Of all streams: the worst first, within a kind the most, then by system and stream. `slots` are those that no
    stream reads any more."""
    found = [each for status in statuses for each in _of(status, now)]
    found += [
        Problem(Severity.WARNING, "unused_slot", each.system, each.stream, each.unused, since=each.made_at)
        for each in slots
    ]
    return sorted(found, key=lambda each: (-each.severity, each.kind, -each.count, each.system, each.stream))


def by_kind(found: Iterable[Problem]) -> Sequence[tuple[Problem, Sequence[Problem]]]:
    """The problems of each kind, in the order of the first of each, with that one."""
    groups: dict[str, list[Problem]] = {}
    for each in found:
        groups.setdefault(each.kind, []).append(each)
    return [(group[0], group) for group in groups.values()]


def _of(status: StreamStatus, now: datetime) -> Iterator[Problem]:
    about = (status.system, status.stream)
    last = status.last_load
    if last is not None and (last.state == "rejected" or last.is_stuck):
        reason = (last.error or "no reason is recorded").removeprefix(f"{status.name}: ").removesuffix(".")
        run = (last.dag_id, last.run_id)
        yield Problem(Severity.ERROR, _of_load(last), *about, reason, since=last.ended_at or last.started_at, run=run)
    if status.is_stale(now):
        text = "older than its freshness SLA allows"
        yield Problem(Severity.ERROR, "late", *about, text, since=status.current_as_of)
    for kind, text in status.over_limits.items():
        yield Problem(Severity.WARNING, kind, *about, text, since=status.lag.at if status.lag else None)
    if status.drifted:
        text = f"{with_noun(status.drifted, 'record differs', 'records differ')} from the source"
        yield Problem(Severity.WARNING, "drift", *about, text, status.drifted, status.drifted_since)
    if status.open_quarantine:
        text = with_noun(status.open_quarantine, "row waits", "rows wait")
        yield Problem(Severity.WARNING, "quarantine", *about, text, status.open_quarantine)
    if status.withheld:
        text = with_noun(status.withheld, "value", "values")
        yield Problem(Severity.NOTICE, "withheld", *about, text, status.withheld)


def _of_load(load: LoadSummary) -> Kind:
    if load.unread or load.state == "extracting":
        return "unread"
    return "rejected" if load.state == "rejected" else "failed"
