"""Freshness SLAs as Airflow's deadlines. Light, because the DAG processor reads it.

A run's logical date is the start of its interval, up to which the run before has published. If the run has not
succeeded when the SLA's time has passed since then, the published data is older than the SLA allows: so the deadline is
the logical date plus the SLA.

Only a run of the schedule has a deadline: a backfill's would lie in the past. None counts from before the DAG's first
run was made, because until then there was no data to grow old; that of a run which is made when its deadline has passed
already (the DAG was paused) counts from then. A run that fails keeps its deadline until another has published as much
(finished_deadlines.py). A deadline that passes is no alert yet, because it is of all streams of the DAG: the ledger is
asked about each (reconcile/freshness_sla.py).
Where no run begins at all there is no deadline either: the DAG reconcile asks the ledger every day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import BaseDeadlineReference, DeadlineAlert

from onefold.catalog.system import System

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True, eq=False)
class SinceLastData(BaseDeadlineReference):
    """From when a run's deadline counts; the scheduler asks when it makes the run. OnefoldPlugin registers it."""

    seconds: float = 0.0
    """The SLA, which Airflow adds to what this says."""
    required_kwargs: ClassVar[set[str]] = {"dag_id", "run_id"}

    def serialize_reference(self) -> dict[str, object]:
        return {**super().serialize_reference(), "seconds": self.seconds}

    @classmethod
    def deserialize_reference(cls, reference_data: Mapping[str, float]) -> SinceLastData:
        return cls(reference_data["seconds"])

    def _evaluate_with(self, *, session: Session, dag_id: str, run_id: str) -> datetime | None:
        from airflow.models.dagrun import DagRun
        from sqlalchemy import func, select

        of_dag = DagRun.dag_id == dag_id
        row = session.execute(select(DagRun.run_type, DagRun.logical_date).where(of_dag, DagRun.run_id == run_id)).one()
        run_type, logical = row
        if run_type != "scheduled" or logical is None:
            return None
        earlier = (of_dag, DagRun.run_type == "scheduled", DagRun.logical_date < logical)
        first_made = session.scalar(select(func.min(DagRun.created_at)).where(*earlier))
        return counts_from(logical, datetime.now(UTC), timedelta(seconds=self.seconds), first_made)


def counts_from(logical: datetime, made: datetime, sla: timedelta, first_made: datetime | None) -> datetime:
    """From when the deadline of a run of the schedule counts that was made at this instant. `first_made`: when the
    DAG's first was made; None where this is the first."""
    return made if first_made is None or logical + sla <= made else max(logical, first_made)


def freshness_deadlines(system: System) -> list[DeadlineAlert]:
    """One deadline for each different freshness SLA of the system's streams."""
    streams_of: dict[timedelta, list[str]] = {}
    for name, stream in system.streams.items():
        streams_of.setdefault(stream.freshness, []).append(f"{system.system}.{name}")
    return [
        DeadlineAlert(
            name=f"data of {system.system} no older than {freshness.total_seconds() / 3600:g} h",
            reference=SinceLastData(freshness.total_seconds()),
            interval=freshness,
            callback=SyncCallback("onefold.orchestration.deadlines.freshness_missed", kwargs={"streams": streams}),
        )
        for freshness, streams in streams_of.items()
    ]


def freshness_missed(context: Mapping[str, Mapping[str, str]], streams: list[str]) -> None:
    """What Airflow calls when a deadline has passed: check these streams (system.stream), send new alerts."""
    from onefold.orchestration.tasks import reconcile

    run = context["dag_run"]
    reconcile.freshness_missed(run["dag_id"], run["dag_run_id"], streams)
