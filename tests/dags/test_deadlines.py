"""No deadline is missed but where data really is older than its SLA: a simulated month, by any schedule and mishap."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk.definitions.deadline import DeadlineAlert
from airflow.serialization.encoders import encode_deadline_alert
from croniter import croniter
from onefold_plugin import OnefoldPlugin

from onefold.catalog.reader import read_systems
from onefold.orchestration.deadlines import SinceLastData, counts_from, freshness_deadlines
from onefold.orchestration.finished_deadlines import published_until

SYSTEMS = read_systems()
PROMISES = sorted({(each.schedule, stream.freshness) for each in SYSTEMS.values() for stream in each.streams.values()})
START = datetime(2026, 3, 1, tzinfo=UTC)
MONTH = timedelta(days=31)


@dataclass
class Run:
    """A run of the simulated DAG, as the listener sees it."""

    run_type: str
    logical_date: datetime | None
    data_interval_end: datetime | None
    conf: dict[str, str] = field(default_factory=dict)
    start_date: datetime = START


def simulated(schedule: str, sla: timedelta, dice: random.Random) -> list[tuple[datetime, datetime | None, datetime]]:
    """A month from the moment the DAG is switched on: (deadline missed, published until, when it was switched on)."""
    born = START + timedelta(hours=dice.uniform(0, 200))
    off = sorted(born + MONTH * dice.random() for _ in range(4))
    outages = [(off[0], off[1])] if dice.random() < 0.5 and off[1] - off[0] < timedelta(days=4) else []
    arrivals: list[tuple[datetime, int, Run]] = []

    def arrives(at: datetime, run: Run) -> None:
        arrivals.append((at, len(arrivals), run))

    def last_interval(at: datetime) -> Run:
        end = croniter(schedule, at + timedelta(microseconds=1)).get_prev(datetime)
        return Run("scheduled", croniter(schedule, end).get_prev(datetime), end)

    arrives(born, last_interval(born))
    tick = croniter(schedule, born).get_next(datetime)
    while tick < born + MONTH:
        out = next((up for down, up in outages if down <= tick < up), None)
        if out is None:
            arrives(tick, last_interval(tick))
        elif not any(at == out for at, *_ in arrivals):
            arrives(out, last_interval(out))
        tick = croniter(schedule, tick).get_next(datetime)
    for _ in range(6):
        at = born + MONTH * dice.random()
        arrives(at, Run("backfill", at - timedelta(days=30), at - timedelta(days=29)))
        arrives(at, Run("manual", None, None, dice.choice([{}, {"start": "2026-01-01"}])))

    made: set[datetime] = set()
    deadlines: list[tuple[datetime, datetime]] = []
    ends: list[tuple[datetime, int, Run]] = []
    free = born
    for at, number, run in sorted(arrivals, key=lambda each: each[:2]):
        if run.run_type == "scheduled" and run.logical_date is not None and run.logical_date not in made:
            base = counts_from(run.logical_date, at, sla, is_first=not made)
            made.add(run.logical_date)
            heapq.heappush(deadlines, (base + sla, run.logical_date))
        run.start_date = max(at, free)
        free = run.start_date + timedelta(minutes=dice.uniform(1, 50))
        if dice.random() < 0.75:
            ends.append((free, number, run))

    missed, published, done = [], None, sorted(ends, key=lambda each: each[:2])
    while deadlines:
        while done and done[0][0] < deadlines[0][0]:
            until = published_until(done.pop(0)[2])
            if until is not None:
                published = max(published or until, until)
                deadlines = [each for each in deadlines if not each[1] < until]
                heapq.heapify(deadlines)
                if not deadlines:
                    return missed
        missed.append((heapq.heappop(deadlines)[0], published, born))
    return missed


@pytest.mark.parametrize(("schedule", "sla"), PROMISES)
def test_in_a_simulated_month_no_deadline_is_missed_while_data_is_as_young_as_its_sla(
    schedule: str, sla: timedelta
) -> None:
    for seed in range(3):
        for at, published, born in simulated(schedule, sla, random.Random(seed)):
            assert at - (published or born) >= sla, seed


class AlwaysWrong(random.Random):
    """Dice by which nothing succeeds."""

    def random(self) -> float:
        return 0.99


def test_where_every_run_fails_every_one_of_the_schedule_has_missed_its_deadline() -> None:
    dice = AlwaysWrong()
    assert len(simulated("0 2 * * *", timedelta(hours=30), dice)) > 25


def test_airflow_finds_what_a_deadline_counts_from_among_what_our_plugin_registers() -> None:
    alert: DeadlineAlert = freshness_deadlines(SYSTEMS["nbp"])[0]
    encoded = encode_deadline_alert(alert)
    registered = {f"{each.__module__}.{each.__qualname__}" for each in OnefoldPlugin.deadline_references}
    assert encoded["reference"]["__class_path"] in registered
    assert SinceLastData.deserialize_reference(encoded["reference"]) == alert.reference
