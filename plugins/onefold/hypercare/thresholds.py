"""Tighter thresholds for what is new. They open alerts earlier; what the gate lets through stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import psycopg
from croniter import croniter

from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.hypercare.figures import Figures
from onefold.hypercare.subjects import Subject
from onefold.notify import alert

KIND = "hypercare"
FEW = 5
"""So many rows in quarantine are never too many by themselves."""
_VOLUME = 0.5
"""A day may bring so much less, or more, than the days of the week before did on average."""
_DAYS_KNOWN = 3
"""On so many days of the week before a stream must have been loaded, so that their average says anything."""
_WEEK = timedelta(days=7)


def tightened(stream: Stream, schedule: str) -> Stream:
    """The stream with half the shares that may be quarantined or withheld, and half the time between its system's
    schedule and its freshness SLA; a schedule that is rarer than that leaves no time to take away."""
    slack = stream.freshness - _longest_gap(schedule)
    gate = stream.gate.model_copy(
        update={
            "max_quarantined_share": stream.gate.max_quarantined_share / 2,
            "max_withheld_share": stream.gate.max_withheld_share / 2,
        }
    )
    freshness = stream.freshness - max(slack, timedelta()) / 2
    return stream.model_copy(update={"gate": gate, "freshness": freshness})


def tighten(systems: Mapping[str, System], subjects: list[Subject]) -> dict[str, System]:
    """The systems, with the streams that the subjects are about tightened."""
    new = {name for each in subjects for name in each.streams}
    return {
        name: system.model_copy(
            update={
                "streams": {
                    key: tightened(stream, system.schedule) if f"{name}.{key}" in new else stream
                    for key, stream in system.streams.items()
                }
            }
        )
        if any(f"{name}.{key}" in new for key in system.streams)
        else system
        for name, system in systems.items()
    }


def findings(day: Figures, week: Figures, stream: Stream) -> list[str]:
    """What is not as it should be on a day, against the week before; `stream` is tightened."""
    found = []
    limit = stream.gate.max_quarantined_share
    if day.quarantined > FEW and day.quarantined_share > limit:
        found.append(f"{day.quarantined_share:.1%} of the rows are quarantined (limit here {limit:.1%})")
    if day.rejected:
        found.append(f"{day.rejected} of {day.loads} loads were rejected")
    if week.days_loaded >= _DAYS_KNOWN:
        usual = week.read / 7
        if abs(day.read - usual) > _VOLUME * usual:
            found.append(f"{day.read:,} rows were read, in the week before {usual:,.0f} a day")
    return found


def alert_of_stream(connection: psycopg.Connection, actor: str, name: str, found: list[str]) -> None:
    """Open or resolve the stream's alert of kind hypercare by what was found of its last whole day."""
    if not found:
        alert.resolve_alert(connection, actor, KIND, name)
        return
    alert.open_alert(
        *(connection, actor, KIND, name),
        f"New, and not as it should be: {'; '.join(found)}. bin/onefold status shows its loads, and "
        f"bin/onefold quarantine {name} what waits (docs/hypercare.md).",
    )


def _longest_gap(schedule: str) -> timedelta:
    """The longest time between two runs of a schedule, over two weeks."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    times = croniter(schedule, begin)
    last, longest = begin, timedelta()
    while last < begin + 2 * _WEEK:
        now = times.get_next(datetime)
        longest, last = max(longest, now - last), now
    return longest
