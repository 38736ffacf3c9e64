"""Fresh data first: what the scheduler does with the tasks of a backfill's run when the run starts.

A listener and not Airflow's task_instance_mutation_hook: a backfill that repeats an interval takes the interval's own
scheduled run, and while the hook is called such a run is not yet one of a backfill.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.listeners import hookimpl

from onefold.orchestration.pools import BACKFILL

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

LAST = 0
"""A priority below that of all other tasks, which is at least 1."""


@hookimpl
def on_dag_run_running(dag_run: DagRun, msg: str) -> None:
    """Put the run's tasks into the pool, behind all others. It is written by the transaction that starts the run."""
    from airflow.models.taskinstance import TaskInstance  # the scheduler has it; others only look at this module
    from sqlalchemy import update
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    if dag_run.run_type != "backfill" or session is None:
        return
    session.execute(
        update(TaskInstance)
        .where(TaskInstance.dag_id == dag_run.dag_id, TaskInstance.run_id == dag_run.run_id)
        .values(pool=BACKFILL, priority_weight=LAST)
        .execution_options(synchronize_session=False)
    )
