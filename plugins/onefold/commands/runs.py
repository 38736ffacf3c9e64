"""Runs a DAG through the scheduler and prints each task as it ends."""

from __future__ import annotations

from collections.abc import Callable

import click

from onefold.errors import Fatal
from onefold.platform.api import AirflowApi, DagRun, TaskInstance
from onefold.platform.processes import recorded
from onefold.platform.sign_in import airflow_session
from onefold.settings import Settings, settings

RUN_SECONDS = 3600
ENDED = frozenset({"success", "failed", "upstream_failed", "skipped"})


def airflow(here: Settings) -> AirflowApi:
    """A session with this installation's Airflow, as whoever has signed in."""
    return airflow_session(AirflowApi, here)


def sync_now(api: AirflowApi, system: str) -> DagRun:
    """A run of the system's sync DAG to wait for: one that is in progress (a second would only wait for it), else one
    that is started."""
    dag_id = f"sync__{system}"
    api.wait_for_dag(dag_id)
    active = next((run for run in api.dag_runs(dag_id) if run.state in ("queued", "running")), None)
    if active is None:
        return api.start_dag(dag_id)
    api.unpause(dag_id)  # else one that is queued would wait for ever
    return active


def follow(api: AirflowApi, run: DagRun, seconds: float = RUN_SECONDS) -> DagRun:
    """Wait for the run to end, with one line for each task that ends.

    Raises Fatal with why each task failed, or with the name of a service that has died meanwhile.
    """
    run = api.wait(run, seconds, task_lines(run.dag_id), require_live_services)
    if run.state != "success":
        raise Fatal(f"{run.dag_id} failed (run {run.run_id}).\n{_why(api, run)}")
    return run


def require_live_services() -> None:
    """Raises Fatal when a service of this installation was started and is gone: the run would never end."""
    home = settings().home
    dead = [name for name, service in recorded(home).items() if service.leader() is None]
    if dead:
        raise Fatal(
            f"{', '.join(dead)} died while a run was in progress. Look into {home / 'logs'}, "
            "then start again what is missing with `bin/onefold up`, or the whole with `bin/onefold demo`."
        )


def task_lines(dag_id: str) -> Callable[[DagRun, list[TaskInstance]], None]:
    """A progress callback that prints each task once, when it has ended; on stderr, so that a report stays readable."""
    shown: set[tuple[str, int]] = set()

    def show(run: DagRun, tasks: list[TaskInstance]) -> None:
        for task in tasks:
            if task.state in ENDED and (task.task_id, task.map_index) not in shown:
                shown.add((task.task_id, task.map_index))
                seconds = f"{task.seconds:6.1f} s" if task.seconds is not None else " " * 8
                click.echo(f"{seconds}  {dag_id:<18} {_name(task):<28} {task.state}", err=True)

    return show


def _why(api: AirflowApi, run: DagRun) -> str:
    """The message of each failed task, whole."""
    failed = [task for task in api.task_instances(run) if task.state == "failed"]
    return "\n".join(f"--- {_name(task)}\n{api.failure(run, task)}" for task in failed)


def _name(task: TaskInstance) -> str:
    return task.task_id if task.map_index < 0 else f"{task.task_id}[{task.map_index}]"
