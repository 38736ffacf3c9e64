"""What a task's context says of its run: who runs, which load it is to do, who has answered."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowRuntimeError

from onefold.audit import actor
from onefold.catalog.reader import read_catalog
from onefold.catalog.system import System
from onefold.errors import Fatal, Retriable
from onefold.load.extraction import CountSource, confirmation, counts_from, from_system, keys_from_system, to_system
from onefold.load.job import Job
from onefold.load.ledger import Run
from onefold.load.window import WindowRequest
from onefold.orchestration.forms import accepted_deletes, instant
from onefold.orchestration.tasks.connections import endpoint
from onefold.settings import warehouse_url

log = logging.getLogger(__name__)


def run_of(context: Context) -> Run:
    """Who runs: the DAG run and the person or schedule behind it."""
    dag_run = context["dag_run"]
    who = actor(dag_run.triggering_user_name, dag_run.dag_id, dag_run.run_id)
    return Run(dag_run.dag_id, dag_run.run_id, who)


def job_of(context: Context, system_name: str, stream: str, rate: str | None = None) -> Job:
    """The load of a stream that the run asks for. `rate` ('5/s') replaces the system's own."""
    catalog = read_catalog()
    system = catalog.systems[system_name]
    where = endpoint(system.connection, rate)
    task = context["ti"]
    return Job(
        system=system,
        stream_name=stream,
        run=run_of(context),
        source=from_system(system, where, warehouse_url(), catalog.systems, catalog.entities),
        source_url=where.url,
        warehouse_url=warehouse_url(),
        entities=catalog.entities,
        run_is_over=run_is_over(context),
        requested=_requested(context),
        last_attempt=task.try_number > task.max_tries,
        is_retry=is_retry(context),
        yields_to_fresh=is_backfill(context),
        acknowledge=to_system(system, where, warehouse_url()),
        confirm=confirmation(system, where, warehouse_url()),
        accept_deletes=accepted_deletes(context["params"].get("accept_deletes")).get(stream),
        anew=stream in (context["params"].get("anew") or ()),
    )


def sweep_of(job: Job, rate: str | None = None) -> Job:
    """The sweep of the job's stream: what lists all of its keys at the source, and nothing else.

    `rate` as in job_of."""
    source = keys_from_system(job.system, endpoint(job.system.connection, rate), job.warehouse_url)
    return replace(job, sweep=True, source=source, acknowledge=None, confirm=None, requested=WindowRequest())


def counts_of(system: System, rate: str | None = None) -> CountSource:
    """What counts the records of a system's streams at the source. `rate` as in job_of."""
    return counts_from(system, endpoint(system.connection, rate), warehouse_url())


def is_backfill(context: Context) -> bool:
    """Whether the run is one of a backfill of Airflow's."""
    return context["dag_run"].run_type == "backfill"


def is_retry(context: Context) -> bool:
    """Whether an attempt before this one has failed or was killed, since the task was last cleared."""
    task = context["ti"]
    attempts_before_clearing = task.max_tries - (task.task.retries or 0)
    return task.try_number - attempts_before_clearing > 1


def _requested(context: Context) -> WindowRequest:
    """Parameters first; then, for a backfill, the run's own data interval; else on from what was published last.

    Raises Fatal for a backfill with a window among its parameters: each of its runs would load that.
    """
    dag_run, params = context["dag_run"], context["params"]
    start, end = instant(params.get("start")), instant(params.get("end"))
    if (start or end) and is_backfill(context):
        raise Fatal(
            "A backfill has its own From and To, and each of its runs loads its own interval of them: start and end "
            "are for a single run. Nothing was loaded. Start the backfill again with both empty."
        )
    if start or end:
        return WindowRequest(start, end, exactly=start is not None)
    if is_backfill(context):
        return WindowRequest(dag_run.data_interval_start, dag_run.data_interval_end, exactly=True)
    return WindowRequest(end=dag_run.data_interval_end if dag_run.run_type == "scheduled" else None)


def run_is_over(context: Context) -> Callable[[str, str], bool]:
    """Asks Airflow whether a run, by DAG and run id, has ended."""

    def ask(dag_id: str, run_id: str) -> bool:
        try:
            return context["ti"].get_dagrun_state(dag_id, run_id) in ("success", "failed")
        except AirflowRuntimeError as error:
            if (error.error.detail or {}).get("status_code") != 404:
                raise Retriable(f"Airflow does not say whether run {run_id} of {dag_id} is over: {error}") from error
            # The run has been deleted: nobody goes on with it.
            log.warning("run %s of %s is unknown to Airflow; its load is taken as abandoned", run_id, dag_id)
            return True

    return ask
