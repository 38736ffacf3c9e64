"""What the tasks of the DAG `reconcile` do: choose the streams, compare each with its source, check freshness."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from airflow.sdk import Context

from onefold.audit import actor
from onefold.catalog.prices import read_prices
from onefold.catalog.reader import read_catalog, read_systems
from onefold.cost import daily
from onefold.errors import Rejected
from onefold.hypercare import daily as hypercare
from onefold.hypercare.send import read_signers
from onefold.load.job import Job
from onefold.load.ledger import Load, Run
from onefold.notify.alert import deliver_notifications
from onefold.notify.receiver import read_receivers
from onefold.orchestration.assets import REPAIRED, staging_asset
from onefold.orchestration.forms import instant
from onefold.orchestration.tasks.asset_events import figures, figures_of
from onefold.orchestration.tasks.connections import endpoint
from onefold.orchestration.tasks.errors import airflow_errors
from onefold.orchestration.tasks.run import counts_of, job_of, run_of, sweep_of
from onefold.reconcile.compare import compare_stream as compare_with_source
from onefold.reconcile.repair import repair_stream
from onefold.reconcile.sla_checks import check_slas, published_streams
from onefold.reconcile.sweep import sweep_stream
from onefold.settings import hypercare_days, hypercare_setting, notify_setting, warehouse_url
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors
from onefold.warehouse.post_commit import after_commit


def choose_streams(context: Context) -> list[str]:
    """The streams that the run names (parameter `streams`), else all that have been published; as system.stream."""
    with airflow_errors():
        return context["params"].get("streams") or published_streams(warehouse_url(), read_catalog().systems)


def compare_stream(context: Context, name: str) -> Mapping[str, object]:
    """Sweep one system.stream where that is due, compare it with its source and, if the run asks for it, load again
    what differs; the figures for the UI. What is loaded or swept is an event of its asset: conform follows.

    A run that asks for a sweep now, or for a dry run of one, does nothing else."""
    system, _, stream = name.partition(".")
    params = context["params"]
    with airflow_errors():
        job = job_of(context, system, stream)
        if _only_sweeps(context):
            swept = sweep_stream(sweep_of(job), datetime.now(UTC), now=True, dry_run=params["sweep"] == "dry_run")
            after_commit(warehouse_url())
            return _swept(context, job, swept)
        refused: Rejected | None = None
        swept = None
        try:
            if params["sweep"] == "due" and job.stream.deletes.sweep:
                swept = sweep_stream(sweep_of(job), datetime.now(UTC))
        except Rejected as error:  # the comparison is worth something all the same
            refused = error
        counts = counts_of(job.system)
        found = compare_with_source(job, counts, instant(params["start"]), thorough=params["thorough"])
        loads: list[Load] = []
        if params["repair"]:
            found, loads = repair_stream(job, counts, found)
        after_commit(warehouse_url())
        if refused:
            raise refused
    if loads:
        extra = {"reconciliation_id": found.reconciliation_id, **figures_of(loads)}
        context["outlet_events"][REPAIRED].add(staging_asset(system, stream), extra)
    drift = found.drift
    return {
        "reconciliation_id": found.reconciliation_id,
        "not compared": found.skipped,
        "read": found.records_read,
        "missing": drift.missing,
        "changed": drift.changed,
        "deleted": drift.deleted,
        "oldest": drift.oldest.isoformat() if drift.oldest else None,
        "loads": [load.load_id for load in loads],
        **_swept(context, job, swept),
    }


def _only_sweeps(context: Context) -> bool:
    """Whether the run sweeps, or shows what a sweep would delete, and compares nothing."""
    return context["params"]["sweep"] in ("now", "dry_run")


def _swept(context: Context, job: Job, load: Load | None) -> Mapping[str, object]:
    """What a sweep has found; conform follows where it has published deletions."""
    if load is None:
        return {}
    if load.state == "published" and load.rows_deleted:
        context["outlet_events"][REPAIRED].add(staging_asset(job.system.system, job.stream_name), figures(load))
    return {"sweep": load.load_id, "swept": load.state, "keys": load.rows_read, "deleted by sweep": load.rows_deleted}


def check_freshness(context: Context) -> Mapping[str, object]:
    """Check the freshness SLAs of the run's streams, and what is held back, and send new alerts.

    Fails when a stream could not be compared."""
    with airflow_errors():
        catalog = read_catalog()
        expected = context["ti"].xcom_pull(task_ids="streams")
        if _only_sweeps(context):
            expected = []
        return check_slas(
            warehouse_url(),
            catalog.systems,
            run_of(context),
            read_receivers(notify_setting(), endpoint),
            only=context["params"].get("streams"),
            expected=expected,
            entities=catalog.entities.values(),
        )


def settle_costs(context: Context) -> Mapping[str, object]:
    """What is due of costs today, and its alerts."""
    with airflow_errors():
        systems, who = read_systems(), run_of(context).actor
        with translate_errors("costs"), connect(warehouse_url(), autocommit=True) as connection:
            done = daily.settle_costs(connection, who, systems, read_prices(systems), datetime.now(UTC))
            deliver_notifications(connection, read_receivers(notify_setting(), endpoint))
        after_commit(warehouse_url())
    return done


def watch_new(context: Context) -> Mapping[str, object]:
    """Watch what is new, and send what is due of it."""
    with airflow_errors():
        catalog, who = read_catalog(), run_of(context).actor
        zone = daily.company_zone(read_prices(catalog.systems))
        signers, everybody = read_signers(hypercare_setting(), endpoint), read_receivers(notify_setting(), endpoint)
        with translate_errors("hypercare"), connect(warehouse_url(), autocommit=True) as connection:
            now = datetime.now(UTC)
            done = hypercare.watch_new(connection, who, catalog, hypercare_days(), zone, now, signers, everybody)
            deliver_notifications(connection, everybody)
        after_commit(warehouse_url())
    return done


def freshness_missed(dag_id: str, run_id: str, streams: list[str]) -> None:
    """A deadline of these streams (system.stream) has passed: check them by the ledger, send new alerts."""
    run = Run(dag_id, run_id, actor(None, dag_id, run_id))
    check_slas(
        warehouse_url(),
        read_catalog().systems,
        run,
        read_receivers(notify_setting(), endpoint),
        only=streams,
        expected=[],
    )
