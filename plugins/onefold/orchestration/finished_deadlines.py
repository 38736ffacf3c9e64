"""Takes a deadline away once any run has published as much as its own run would have; Airflow does it for one run only.

A listener of the scheduler, in the transaction that ends the run. A deadline is of several streams (deadlines.py): a
run in which some of them failed takes off it those that it has published, so that it is missed for the others alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun


@hookimpl
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:
    """Delete the deadlines, not yet missed, of runs of the same DAG whose data is published now."""
    _take_off(dag_run, None)


@hookimpl
def on_dag_run_failed(dag_run: DagRun, msg: str) -> None:
    """Take the streams that this run has published off those deadlines, and delete those that have none left."""
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import select
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    if session is None:
        return
    of_run = (TaskInstance.dag_id == dag_run.dag_id, TaskInstance.run_id == dag_run.run_id)
    done = session.scalars(select(TaskInstance.task_id).where(*of_run, TaskInstance.state == "success"))
    _take_off(dag_run, frozenset(done))


def _take_off(dag_run: DagRun, published: Collection[str] | None) -> None:
    """Take these tasks' streams, or all of them, off the deadlines that wait for what the run has published."""
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
        if deadline.deadline_time <= ended:
            continue
        kwargs: Mapping[str, list[str]] = deadline.callback.data.get("kwargs") or {}
        late = [] if published is None else late_streams(kwargs.get("streams", ()), published)
        if late:
            deadline.callback.data = {**deadline.callback.data, "kwargs": {**kwargs, "streams": late}}
        else:
            session.delete(deadline)


def late_streams(streams: Collection[str], published: Collection[str]) -> list[str]:
    """Those streams (system.stream) that are not among the published, which are named as tasks are."""
    return [stream for stream in streams if stream.partition(".")[2] not in published]


def published_until(run: DagRun) -> datetime | None:
    """Up to when what a run has published reaches; None of one that asked for a window of the past."""
    if run.run_type == "scheduled":
        return run.data_interval_end
    conf = run.conf or {}
    windowed = run.run_type == "backfill" or conf.get("start") or conf.get("end")
    return None if windowed else run.start_date
