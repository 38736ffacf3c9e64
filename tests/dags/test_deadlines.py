"""No deadline is missed but where data really is older than its SLA: a simulated month, by any schedule and mishap."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from airflow.models import import_all_models
from airflow.models.base import Base
from airflow.models.dagrun import DagRun
from airflow.models.deadline import Deadline
from airflow.models.taskinstance import TaskInstance
from airflow.sdk.definitions.deadline import DeadlineAlert
from airflow.serialization.encoders import encode_deadline_alert
from croniter import croniter
from onefold_plugin import OnefoldPlugin
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from onefold.catalog.reader import read_systems
from onefold.orchestration.deadlines import SinceLastData, counts_from, freshness_deadlines
from onefold.orchestration.finished_deadlines import (
    late_streams,
    on_dag_run_failed,
    on_dag_run_success,
    published_until,
)
from tests.effort import TORTURE

SYSTEMS = read_systems()
PROMISES = sorted({(each.schedule, stream.freshness) for each in SYSTEMS.values() for stream in each.streams.values()})
STREAMS = ("nbp.rate", "nbp.buy_sell")
START = datetime(2026, 3, 1, tzinfo=UTC)
MONTH = timedelta(days=31)
SEEDS = 20 if TORTURE else 1


@dataclass
class Run:
    """A run of the simulated DAG, as the listener sees it."""

    run_type: str
    logical_date: datetime | None
    data_interval_end: datetime | None
    conf: dict[str, str] = field(default_factory=dict)
    start_date: datetime = START


def simulated(schedule: str, sla: timedelta, dice: random.Random) -> list[tuple[datetime, datetime]]:
    """A month from the moment the DAG is switched on, of two streams that fail each by itself: for each stream of each
    deadline missed, when that was and up to when the stream had been published, or when the DAG was switched on."""
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
    deadlines: list[tuple[datetime, datetime, list[str]]] = []
    ends: list[tuple[datetime, int, Run, list[str]]] = []
    free = born
    for at, number, run in sorted(arrivals, key=lambda each: each[:2]):
        if run.run_type == "scheduled" and run.logical_date is not None and run.logical_date not in made:
            base = counts_from(run.logical_date, at, sla, born if made else None)
            made.add(run.logical_date)
            heapq.heappush(deadlines, (base + sla, run.logical_date, list(STREAMS)))
        run.start_date = max(at, free)
        free = run.start_date + timedelta(minutes=dice.uniform(1, 50))
        ends.append((free, number, run, [each for each in STREAMS if dice.random() < 0.75]))

    missed, published, done = [], dict.fromkeys(STREAMS, born), sorted(ends, key=lambda each: each[:2])
    while deadlines:
        while done and done[0][0] < deadlines[0][0]:
            _, _, run, streams = done.pop(0)
            until = published_until(run)
            if until is not None:
                published |= {each: max(published[each], until) for each in streams}
                tasks = [each.partition(".")[2] for each in streams]
                left = [(at, of, late_streams(late, tasks) if of < until else late) for at, of, late in deadlines]
                deadlines = [each for each in left if each[2]]
                heapq.heapify(deadlines)
                if not deadlines:
                    return missed
        at, _, late = heapq.heappop(deadlines)
        missed += [(at, published[stream]) for stream in late]
    return missed


@pytest.mark.parametrize(("schedule", "sla"), PROMISES)
def test_in_a_simulated_month_no_stream_misses_a_deadline_while_its_data_is_as_young_as_its_sla(
    schedule: str, sla: timedelta
) -> None:
    for seed in range(SEEDS):
        for at, published in simulated(schedule, sla, random.Random(seed)):
            assert at - published >= sla, seed


class AlwaysWrong(random.Random):
    """Dice by which nothing succeeds."""

    def random(self) -> float:
        return 0.99


def test_where_every_run_fails_every_one_of_the_schedule_has_missed_its_deadline() -> None:
    dice = AlwaysWrong()
    assert len(simulated("0 2 * * *", timedelta(hours=30), dice)) > 25 * len(STREAMS)


@pytest.fixture
def airflow_database() -> Engine:
    """Airflow's own tables, empty."""
    import_all_models()
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    return engine


def waiting(session: Session) -> list[str]:
    """The streams that a deadline waits for, over all deadlines."""
    return [stream for each in session.query(Deadline) for stream in each.callback.data["kwargs"]["streams"]]


def test_a_stream_that_fails_keeps_its_deadline_and_no_siblings(airflow_database: Engine) -> None:
    """Runs of three days: one stream fails in two of them, another in the first."""
    streams = ["erp.klient", "erp.dostawca", "erp.towar"]
    (alert,) = (each for each in freshness_deadlines(SYSTEMS["erp"]) if streams[0] in each.callback.kwargs["streams"])
    assert {*streams} < {*alert.callback.kwargs["streams"]}
    with Session(airflow_database) as session:

        def ends(day: int, *succeeded: str, failed: bool = True) -> list[str]:
            at = START + timedelta(days=day)
            run = DagRun(dag_id="sync__erp", run_id=f"scheduled__{day}", run_type="scheduled", logical_date=at)
            run.data_interval_end, run.end_date = at + timedelta(days=1), at + timedelta(days=1, hours=1)
            session.add(run)
            session.flush()
            session.add(Deadline(START + timedelta(days=9), alert.callback, run.id, None))
            deadline = session.query(Deadline).filter_by(dagrun_id=run.id).one()
            kwargs = {**deadline.callback.data["kwargs"], "streams": streams}
            deadline.callback.data = {**deadline.callback.data, "kwargs": kwargs}
            for task_id in ("klient", "dostawca", "towar"):
                task = TaskInstance.__table__.insert().values(
                    id=uuid4(),
                    task_id=task_id,
                    dag_id=run.dag_id,
                    run_id=run.run_id,
                    map_index=-1,
                    pool="default_pool",
                    state="success" if task_id in succeeded else "failed",
                )
                session.execute(task)
            (on_dag_run_failed if failed else on_dag_run_success)(run, "ended")
            session.commit()
            return waiting(session)

        assert ends(0, "towar") == ["erp.klient", "erp.dostawca"]
        assert ends(1, "dostawca", "towar") == ["erp.klient", "erp.klient"]
        assert ends(2, "klient", "dostawca", "towar", failed=False) == []


def test_airflow_finds_what_a_deadline_counts_from_among_what_our_plugin_registers() -> None:
    alert: DeadlineAlert = freshness_deadlines(SYSTEMS["nbp"])[0]
    encoded = encode_deadline_alert(alert)
    registered = {f"{each.__module__}.{each.__qualname__}" for each in OnefoldPlugin.deadline_references}
    assert encoded["reference"]["__class_path"] in registered
    assert SinceLastData.deserialize_reference(encoded["reference"]) == alert.reference
