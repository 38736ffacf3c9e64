"""migrate: a window of the past is loaded as a dry run, approved by a second person, and published."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from onefold.catalog.reader import read_systems
from onefold.orchestration.approval import ApproveMigration
from onefold.orchestration.assets import MIGRATED
from onefold.orchestration.dag_docs import migrate_doc
from onefold.orchestration.forms import CHUNK_DAYS, MODES, NEEDED_INSTANT, RATE, REASON, several_of
from onefold.orchestration.operators import EndMigration, MigrateStream, PlanMigration, ReportMigration
from onefold.orchestration.pools import BACKFILL
from onefold.orchestration.retries import retried

SYSTEMS = read_systems()
STREAMS = [f"{name}.{stream}" for name, system in SYSTEMS.items() for stream in system.streams]

with DAG(
    dag_id="migrate",
    description="Brings a window of the past in: planned, dry run, approved by a second person, published",
    doc_md=migrate_doc(),
    schedule=None,
    is_paused_upon_creation=False,  # it runs only when somebody asks for it
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=4,
    tags=["operations"],
    params={
        "system": Param("", type="string", enum=list(SYSTEMS), description="The system to migrate from"),
        "streams": Param(None, **several_of(STREAMS), description="Of its streams; none chosen: all"),
        "from": Param("", **NEEDED_INSTANT, description="First instant of the window"),
        "to": Param("", **NEEDED_INSTANT, description="End of the window, itself outside"),
        "chunk_days": Param(30, **CHUNK_DAYS, description="How many days are loaded at once"),
        "mode": Param(
            "incremental",
            type="string",
            enum=list(MODES),
            description="; ".join(f"{mode}: {when}" for mode, when in MODES.items()),
        ),
        "service_window": Param(None, type=["null", "string"], description="The hours, as 22:00-05:00 Europe/Warsaw"),
        "rate": Param(None, **RATE, description="Requests that it may send (5/s), instead of the system's own rate"),
        "reason": Param("", **REASON, description="Why; the approver reads it"),
    },
    default_args=retried(4),
):
    plan = PlanMigration(
        task_id="plan", doc_md="Refuses what cannot be loaded; chunks, records, requests and time of the rest."
    )
    dry_run = MigrateStream.partial(
        task_id="dry_run",
        step="dry_run",
        pool=BACKFILL,
        doc_md="Lands and gates every chunk of a stream; nothing is published.",
        map_index_template="{{ task.stream }}",
    ).expand(stream=plan.output)
    report = ReportMigration(
        task_id="report",
        doc_md="Maps and resolves the loads of the dry run in the shadow schemas: what would be published.",
    )
    approve = ApproveMigration(
        task_id="approve",
        doc_md="Waits until a person other than who started the run approves it, or anybody rejects it.",
    )
    publish = MigrateStream.partial(
        task_id="publish",
        step="publish",
        pool=BACKFILL,
        outlets=[MIGRATED],
        doc_md="Publishes every chunk of a stream from what its dry run has read; its control totals must agree.",
        map_index_template="{{ task.stream }}",
    ).expand(stream=plan.output)
    end = EndMigration(task_id="end", doc_md="Closes the migration in `ops.migration`; conform takes its loads in.")
    dry_run >> report >> approve >> publish >> end
