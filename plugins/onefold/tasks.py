"""What the DAGs' tasks do: read Airflow's context, call the engine, and turn its errors into Airflow's."""

from __future__ import annotations

import logging
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from airflow.sdk import Connection, Context
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowNotFoundException,
    AirflowRescheduleException,
    AirflowRuntimeError,
    AirflowSkipException,
)

from onefold.aftermath import after_commit
from onefold.assets import ROLLED_BACK, staging_asset
from onefold.audit import actor
from onefold.catalog.past import history, unaskable
from onefold.catalog.reader import read_catalog
from onefold.conform import conform as build_and_publish
from onefold.conform import evidence
from onefold.conform.build import Project, marts_fingerprint
from onefold.conform.gate import entity_gate
from onefold.connectors.page import Endpoint
from onefold.errors import Busy, Fatal, OnefoldError, Rejected, Retriable
from onefold.forms import instant
from onefold.mapping.registry import mapping_fingerprints, sync_mapping
from onefold.notify.receiver import receivers
from onefold.reconcile.compare import compare
from onefold.reconcile.repair import repair
from onefold.reconcile.watch import loaded_streams, watch
from onefold.rollback import rollback
from onefold.rollback.request import Request
from onefold.settings import notify_setting, settings, warehouse_url
from onefold.sync import evidence as load_evidence
from onefold.sync.extraction import counts_from, from_system, to_system
from onefold.sync.job import Job
from onefold.warehouse.connection import connect
from onefold.warehouse.ledger import Load, Run
from onefold.warehouse.staging import ensure_all_staging
from onefold.warehouse.window import Wanted

log = logging.getLogger(__name__)

DATABASES = ("postgres", "mysql")
"""Airflow's types of connections that lead to a database; MariaDB's is mysql."""

LOOK_AGAIN = timedelta(seconds=10)
"""How long a task that found its stream busy stays out of the way before it looks again."""


def step(context: Context, system: str, stream: str, do: Callable[[Job], Load]) -> Mapping[str, object]:
    """Do one step (land, gate, publish) of a stream's load; returns the ledger's figures for the UI.

    A stream that cannot be asked about the window that the run names is skipped.
    """
    with airflow_errors():
        job = job_of(context, system, stream)
        if _is_backfill(context) or context["params"].get("start") or context["params"].get("end"):
            job = _can_be_asked(job)
        load = do(job)
    return figures(load)


def figures(load: Load) -> Mapping[str, object]:
    """What the ledger says of a load, for the UI."""
    return {
        "load_id": load.load_id,
        "state": load.state,
        "window": f"[{load.window_start.isoformat()}, {load.window_end.isoformat()})",
        "read": load.rows_read,
        "new": load.rows_new,
        "changed": load.rows_changed,
        "deleted": load.rows_deleted,
        "quarantined": load.rows_quarantined,
    }


def conform(context: Context) -> Mapping[str, object]:
    """Take in what was loaded since the last publish, build the entities and publish them."""
    here, url = settings(), warehouse_url()
    run = run_of(context)
    catalog = read_catalog()
    entities = list(catalog.entities.values())
    dbt_project = here.root / "dbt_project"
    with airflow_errors():
        ensure_all_staging(url, catalog)
        report = build_and_publish(
            url,
            run.actor,
            entity_gate(url),
            entities,
            Project(dbt_project, here.home / "dbt"),
            mappings=mapping_fingerprints(catalog.entities, catalog.systems)
            | {"marts": marts_fingerprint(dbt_project)},
            on_publish=[
                lambda connection, _: sync_mapping(connection, catalog.entities, catalog.systems),
                evidence.published(run, entities),
            ],
        )
        after_commit(url)
    return report.as_json()


def streams_to_reconcile(context: Context) -> list[str]:
    """The streams that the run names (parameter `streams`), else all that have been published; as system.stream."""
    with airflow_errors():
        return context["params"].get("streams") or loaded_streams(warehouse_url(), read_catalog().systems)


def reconcile(context: Context, name: str) -> tuple[Mapping[str, object], int]:
    """Compare one system.stream with its source and, if the run asks for it, load again what differs; the figures for
    the UI, and how many loads that took."""
    system, _, stream = name.partition(".")
    params = context["params"]
    with airflow_errors():
        job = job_of(context, system, stream)
        counts = counts_from(job.system, endpoint_of(job.system.connection), warehouse_url())
        found, loads = compare(job, counts, instant(params["start"]), thorough=params["thorough"]), []
        if params["repair"]:
            found, loads = repair(job, counts, found)
        after_commit(warehouse_url())
    drift = found.drift
    return {
        "reconciliation_id": found.reconciliation_id,
        "not compared": found.skipped,
        "read": found.records_read,
        "missing": drift.missing,
        "changed": drift.changed,
        "gone": drift.gone,
        "oldest": drift.oldest.isoformat() if drift.oldest else None,
        "loads": [load.load_id for load in loads],
    }, len(loads)


def watch_promises(context: Context) -> Mapping[str, object]:
    """Judge the promises of the run's streams, and tell what is new. Fails when one could not be compared."""
    with airflow_errors():
        return watch(
            warehouse_url(),
            read_catalog().systems,
            run_of(context),
            receivers(notify_setting(), endpoint_of),
            only=context["params"].get("streams"),
            expected=context["ti"].xcom_pull(task_ids="streams"),
        )


def promise_missed(dag_id: str, run_id: str, streams: list[str]) -> None:
    """A deadline of these streams (system.stream) has passed: judge them by the ledger, and tell what is new."""
    run = Run(dag_id, run_id, actor(None, dag_id, run_id))
    watch(
        warehouse_url(),
        read_catalog().systems,
        run,
        receivers(notify_setting(), endpoint_of),
        only=streams,
        expected=[],
    )


def plan_rollback(context: Context) -> Mapping[str, object]:
    """Plan what the run's parameters ask for, and show it in the log."""
    params = context["params"]
    request = Request(
        loads=tuple(params.get("loads") or ()),
        run_id=params.get("run") or None,
        undo=params.get("undo"),
        reason=params.get("reason") or "",
    )
    with airflow_errors():
        planned = rollback.plan(warehouse_url(), read_catalog(), request, run_of(context).actor)
    for line in planned.text.splitlines():
        log.info(line)
    return planned.as_json()


def decide_rollback(context: Context, event: Mapping[str, object], *, approved: bool) -> None:
    """Keep what a person has decided about the run's plan."""
    person = event.get("responded_by_user")
    user = str(person["id"]) if isinstance(person, Mapping) else None
    with airflow_errors():
        rollback.decide(warehouse_url(), _rollback_id(context), user, approved)


def execute_rollback(context: Context) -> Mapping[str, object]:
    """Do what was approved; the assets of the staging tables that it changed then start conform."""
    with airflow_errors():
        done = rollback.execute(warehouse_url(), read_catalog(), _rollback_id(context), run_of(context).actor)
    changed = context["outlet_events"][ROLLED_BACK]
    for stream in done.streams:
        changed.add(staging_asset(*stream.stream.split(".")))
    return done.as_json()


def _rollback_id(context: Context) -> int:
    return int(context["ti"].xcom_pull(task_ids="plan")["rollback_id"])


def run_of(context: Context) -> Run:
    """Who runs: the DAG run and the person or schedule behind it."""
    dag_run = context["dag_run"]
    who = actor(dag_run.triggering_user_name, dag_run.dag_id, dag_run.run_id)
    return Run(dag_run.dag_id, dag_run.run_id, who)


def job_of(context: Context, system_name: str, stream: str, rate: str | None = None) -> Job:
    """The load of a stream that the run asks for. `rate` is kept instead of the system's own ('5/s')."""
    catalog = read_catalog()
    system = catalog.systems[system_name]
    endpoint = endpoint_of(system.connection)
    if rate:
        endpoint = replace(endpoint, extra={**(endpoint.extra or {}), "rate": rate})
    task = context["ti"]
    return Job(
        system=system,
        stream_name=stream,
        run=run_of(context),
        source=from_system(system, endpoint, warehouse_url(), catalog.systems, catalog.entities),
        source_url=endpoint.url,
        warehouse_url=warehouse_url(),
        entities=catalog.entities,
        run_is_over=run_is_over(context),
        wanted=_wanted(context),
        last_attempt=task.try_number > task.max_tries,
        gives_way=_is_backfill(context),
        confirm=to_system(system, endpoint, warehouse_url()),
    )


def _is_backfill(context: Context) -> bool:
    return context["dag_run"].run_type == "backfill"


def _can_be_asked(job: Job) -> Job:
    """The job of a run that names its window; the first interval of a backfill begins with the stream's history.

    A stream that cannot be asked about the window says so, in the log and in the audit trail, and is skipped.
    """
    now, wanted = datetime.now(UTC), job.wanted
    first = history(job.system, job.stream_name, now)
    if job.gives_way and first and wanted.start and wanted.end and wanted.start < first < wanted.end:
        return replace(job, wanted=replace(wanted, start=first))
    why = unaskable(job.system, job.stream_name, wanted.start, now)
    if why is None:
        return job
    with connect(job.warehouse_url) as connection:
        load_evidence.left_out(connection, job, why.reason)
    after_commit(job.warehouse_url)
    _log_lines(logging.WARNING, why.text)
    raise AirflowSkipException(why.text)


def _wanted(context: Context) -> Wanted:
    """Parameters first; then, for a backfill, the run's own data interval; else on from what was published last."""
    dag_run, params = context["dag_run"], context["params"]
    start, end = instant(params.get("start")), instant(params.get("end"))
    if start or end:
        return Wanted(start, end, exactly=start is not None)
    if _is_backfill(context):
        return Wanted(dag_run.data_interval_start, dag_run.data_interval_end, exactly=True)
    return Wanted(end=dag_run.data_interval_end if dag_run.run_type == "scheduled" else None)


def endpoint_of(connection_id: str) -> Endpoint:
    try:
        connection = Connection.get(connection_id)
    except AirflowNotFoundException as error:
        raise Fatal(
            f"There is no Airflow connection {connection_id!r}: make it in the UI, or as a variable."
        ) from error
    if not connection.host:
        raise Fatal(f"Airflow connection {connection_id!r} has no host: write the system's base URL there.")
    extra = {name: str(value) for name, value in connection.extra_dejson.items()}
    return Endpoint(_base_url(connection), connection.login, connection.password, extra)


def _base_url(connection: Connection) -> str:
    """The base URL, said as the host or, as Airflow's own connections do it, in schema, host and port.

    A database's (types postgres and mysql) names the database, and never who signs in.
    """
    if "://" in connection.host:
        return connection.host.rstrip("/")
    port = f":{connection.port}" if connection.port else ""
    if connection.conn_type in DATABASES:
        return f"{connection.conn_type}://{connection.host}{port}/{connection.schema or ''}"
    return f"{connection.schema or 'https'}://{connection.host.rstrip('/')}{port}"


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


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Fatal and Rejected must not be tried again by Airflow; Retriable is, by the DAG's retries. Busy uses none of them
    up: the task is put off for a while, and holds no slot meanwhile.

    What an error says is logged first, in lines that fit the UI's log view: an exception's text is one long line there.
    """
    try:
        yield
    except Busy as busy:
        _log_lines(logging.INFO, str(busy))
        raise AirflowRescheduleException(datetime.now(UTC) + LOOK_AGAIN) from busy
    except OnefoldError as error:
        _log_lines(logging.ERROR, str(error))
        if isinstance(error, Rejected):  # it is about the data: where in our code it was found helps nobody
            raise AirflowFailException(str(error)) from None
        if isinstance(error, Fatal):
            raise AirflowFailException(str(error)) from error
        raise


def _log_lines(level: int, text: str) -> None:
    for line in textwrap.wrap(text, 88):
        log.log(level, line)
