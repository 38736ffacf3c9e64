"""Fresh data first: what the scheduler does with the tasks of a backfill's run when it begins.

A listener and not Airflow's task_instance_mutation_hook: a backfill that repeats an interval takes the interval's own
scheduled run, and while the hook is called such a run is not yet one of a backfill.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.listeners import hookimpl

from onefold.orchestration.pools import BACKFILL

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

LAST, FIRST = 0, 100
"""Priorities below and above those of all other tasks, which are 1 to 3."""


@hookimpl
def on_dag_run_running(dag_run: DagRun, msg: str) -> None:
    """Put the run's tasks into the pool. Whoever is to begin a load comes last; whoever has begun one comes first,
    since it holds the stream that others may wait for. It is written by the transaction that starts the run."""
    from airflow.models.taskinstance import TaskInstance  # the scheduler has it; others only look at this module
    from sqlalchemy import case, update
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    if dag_run.run_type != "backfill" or session is None:
        return
    session.execute(
        update(TaskInstance)
        .where(TaskInstance.dag_id == dag_run.dag_id, TaskInstance.run_id == dag_run.run_id)
        .values(pool=BACKFILL, priority_weight=case((TaskInstance.task_id.endswith(".land"), LAST), else_=FIRST))
        .execution_options(synchronize_session=False)
    )
