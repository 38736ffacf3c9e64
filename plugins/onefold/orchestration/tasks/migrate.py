"""What the tasks of the DAG `migrate` do: plan, dry run, report, decide, publish, end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowRescheduleException

from onefold.catalog.reader import read_catalog
from onefold.catalog.system import System
from onefold.conform.dbt_build import DbtProject
from onefold.conform.dry_run import dry_run_conform
from onefold.conform.gate import entity_gate
from onefold.errors import Fatal
from onefold.load import ledger as loads
from onefold.load.extraction import feed_from
from onefold.load.staging import ensure_all_staging
from onefold.load.usage import Usage
from onefold.mapping.registry import mapping_fingerprints
from onefold.migration import ledger
from onefold.migration.approval import ask_approval
from onefold.migration.chunks import MakeJob, close_abandoned, discard_dry_run, dry_run_chunks, publish_chunks
from onefold.migration.feed_estimate import estimate_from_feed
from onefold.migration.ledger import Migration
from onefold.migration.plan import Estimate, FeedEstimator, make_plan
from onefold.migration.plan_text import plan_text
from onefold.migration.report import dry_run_loads, make_report, report_text
from onefold.migration.request import MigrationRequest
from onefold.orchestration.assets import MIGRATED, staging_asset
from onefold.orchestration.forms import needed_instant
from onefold.orchestration.tasks.asset_events import figures_of
from onefold.orchestration.tasks.connections import endpoint
from onefold.orchestration.tasks.errors import airflow_errors
from onefold.orchestration.tasks.questions import require_decision
from onefold.orchestration.tasks.run import counts_of, job_of, run_is_over, run_of
from onefold.service_window import Closed, within
from onefold.settings import settings, warehouse_url
from onefold.warehouse.connection import connect
from onefold.warehouse.post_commit import after_commit

log = logging.getLogger(__name__)


def plan(context: Context) -> list[str]:
    """Plan what the run's form asks for, and show it in the log; returns the streams."""
    params, url, catalog = context["params"], warehouse_url(), read_catalog()
    with airflow_errors():
        system = params["system"]
        streams = dict.fromkeys(name.removeprefix(f"{system}.") for name in params.get("streams") or ())
        request = MigrationRequest(
            system=system,
            streams=tuple(streams or catalog.systems[system].streams),
            start=needed_instant(params.get("from")),
            end=needed_instant(params.get("to")),
            chunk=timedelta(days=params["chunk_days"]),
            reason=params["reason"],
            mode=params["mode"],
            service_window=params.get("service_window") or None,
            rate=params.get("rate") or None,
        )
        run = run_of(context)
        with connect(url, autocommit=True) as connection:
            is_over = run_is_over(context)
            for other in ledger.in_progress(connection, request):  # before the source is asked
                if other.run_id != run.run_id and not is_over("migrate", other.run_id):
                    raise ledger.overlap_error(other, request)
            counts = counts_of(catalog.systems[request.system], request.rate)
            planned = make_plan(
                connection, catalog.systems, request, counts, _estimate_from_feed(catalog.systems, request)
            )
            close_abandoned(connection, request, run.actor, is_over)
            migration = ledger.begin(connection, request, planned, run.actor, run.run_id)
        after_commit(url)
    for line in plan_text(migration).splitlines():
        log.info("%s", line)
    return migration.streams


def dry_run(context: Context, stream: str) -> int:
    """Land and gate every chunk of a stream; returns how many there are."""
    with airflow_errors():
        migration = _migration(context)
        if not migration.is_in_progress:
            raise Fatal(f"Migration {migration.migration_id} is {migration.state}. Start it anew; nothing was changed.")
        counts = counts_of(read_catalog().systems[migration.system], migration.rate)
        with _in_service(migration) as may_go_on:
            make_job = _make_job(context, migration, stream)
            dry_run_chunks(warehouse_url(), migration, stream, make_job, may_go_on, counts)
        after_commit(warehouse_url())
    return int(str(migration.plan["chunks"]))


def report(context: Context) -> str:
    """Map and resolve the loads of the dry run, store the report, and return the text that the approver reads."""
    here, url, catalog = settings(), warehouse_url(), read_catalog()
    with airflow_errors():
        ensure_all_staging(url, catalog)
        migration = _migration(context)
        with connect(url, autocommit=True) as connection:
            read = [loads.get(connection, load_id) for load_id in dry_run_loads(connection, migration)]
        dry_run = dry_run_conform(
            url,
            run_of(context).actor,
            entity_gate(url),
            list(catalog.entities.values()),
            DbtProject(here.root / "dbt_project", here.home / "dbt-dry-run"),
            read,
            mappings=mapping_fingerprints(catalog.entities, catalog.systems),
        )
        with connect(url, autocommit=True) as connection:
            found = make_report(connection, migration, dry_run, catalog.systems[migration.system])
            with connection.transaction():
                ledger.record_report(connection, migration, found)
                migration = ledger.get(connection, migration.migration_id)
                text = ask_approval(connection, migration, report_text(migration))
        after_commit(url)
    for line in text.splitlines():
        log.info("%s", line)
    return text


def decide(context: Context, *, approved: bool) -> None:
    """End the migration when it was turned down, and drop what the dry run has landed.

    Raises Fatal for an approval that nobody has recorded.
    """
    with airflow_errors():
        decided = require_decision(context, approved=approved)
        if not approved:
            who = decided.decided_by or "airflow:nobody"
            with connect(warehouse_url(), autocommit=True) as connection:
                migration = ledger.get(connection, decided.number)
                ledger.end(connection, migration, "refused", who, f"turned down by {who}")
                discard_dry_run(connection, migration)
            after_commit(warehouse_url())


def publish(context: Context, stream: str) -> int:
    """Publish every chunk of a stream from what its dry run has read; returns how many there are."""
    with airflow_errors():
        migration = _migration(context)
        if migration.state != "approved":
            raise Fatal(f"Migration {migration.migration_id} is {migration.state} and not approved.")
        with _in_service(migration) as may_go_on:
            published = publish_chunks(
                warehouse_url(), migration, stream, _make_job(context, migration, stream), may_go_on
            )
        after_commit(warehouse_url())
    extra = {"migration_id": migration.migration_id, **figures_of(published)}
    context["outlet_events"][MIGRATED].add(staging_asset(migration.system, stream), extra)
    return int(str(migration.plan["chunks"]))


def end(context: Context) -> Mapping[str, object]:
    """Close the migration as published."""
    with airflow_errors():
        with connect(warehouse_url(), autocommit=True) as connection:
            migration = _migration(context)
            ledger.end(connection, migration, "published", run_of(context).actor)
            migration = ledger.get(connection, migration.migration_id)
        after_commit(warehouse_url())
    return {"migration_id": migration.migration_id, "state": migration.state, "approver": migration.approver}


def _estimate_from_feed(systems: Mapping[str, System], request: MigrationRequest) -> FeedEstimator:
    """Reads some days of a look-up's feed, within the migration's rate."""

    def ask(stream: str, usage: Usage) -> Estimate | None:
        system = systems[request.system]
        feed = feed_from(system, endpoint(system.connection, request.rate), warehouse_url())
        with feed(stream, usage) as count:
            return estimate_from_feed(count, system, request) if count else None

    return ask


def _migration(context: Context) -> Migration:
    with connect(warehouse_url(), autocommit=True) as connection:
        return ledger.of_run(connection, run_of(context).run_id)


def _make_job(context: Context, migration: Migration, stream: str) -> MakeJob:
    """Jobs that let fresh data go first, and use the migration's own rate where it has one."""
    job = job_of(context, migration.system, stream, migration.rate)
    return lambda requested, load: replace(job, requested=requested, dry_run_load=load, yields_to_fresh=True)


@contextmanager
def _in_service(migration: Migration) -> Iterator[Callable[[], None]]:
    """The check before each chunk. Outside the service window the task is rescheduled to its opening; that costs no
    retry and no slot."""
    try:
        yield within(migration.service_window)
    except Closed as closed:
        log.info("migration %s pauses: %s", migration.migration_id, closed)
        raise AirflowRescheduleException(closed.opens) from closed
