"""Takes a deadline away once any run has published as much as its own run would have; Airflow does it for one run only.

A listener of the scheduler, in the transaction that ends the run.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun


@hookimpl
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:
    """Delete the deadlines, not yet missed, of runs of the same DAG whose data is published now."""
    from airflow.models.dagrun import DagRun as Run  # the scheduler has it; others only look at this module
    from airflow.models.deadline import Deadline
    from sqlalchemy import select
    from sqlalchemy.orm import object_session

    session, until, ended = object_session(dag_run), published_until(dag_run), dag_run.end_date
    if session is None or until is None or ended is None:
        return
    query = select(Deadline).join(Run, Run.id == Deadline.dagrun_id)
    for deadline in session.scalars(
        query.where(Run.dag_id == dag_run.dag_id, Run.logical_date < until, ~Deadline.missed)
    ).all():
        if deadline.deadline_time > ended:
            session.delete(deadline)


def published_until(run: DagRun) -> datetime | None:
    """Up to when a run that has succeeded has published; None of one that asked for a window of the past."""
    if run.run_type == "scheduled":
        return run.data_interval_end
    conf = run.conf or {}
    windowed = run.run_type == "backfill" or conf.get("start") or conf.get("end")
    return None if windowed else run.start_date
