"""reconcile: every day each stream is compared with its source, freshness is checked, and alerts are sent."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, Param

from onefold.catalog.reader import read_systems
from onefold.orchestration.assets import REPAIRED
from onefold.orchestration.dag_docs import reconcile_doc
from onefold.orchestration.forms import ACCEPT_DELETES, INSTANT, several_of
from onefold.orchestration.operators import (
    CheckFreshness,
    ReconcileStream,
    SettleCosts,
    StreamsToReconcile,
    WatchNew,
)
from onefold.orchestration.pools import RECONCILE
from onefold.orchestration.retries import retried

STREAMS = [f"{name}.{stream}" for name, system in read_systems().items() for stream in system.streams]

with DAG(
    dag_id="reconcile",
    description="Compares each stream with its source, repairs on demand, and sends alerts",
    doc_md=reconcile_doc(),
    # No start date, and timedelta(0): otherwise switching it on would begin the run of a time that is past.
    schedule=CronTriggerTimetable("0 5 * * *", timezone="UTC", run_immediately=timedelta(0)),
    catchup=False,
    max_active_runs=1,
    tags=["operations"],
    params={
        "streams": Param(
            None, **several_of(STREAMS), description="What to compare; none: every stream that has been published"
        ),
        "start": Param(
            None,
            **INSTANT,
            description="Compare what changed since then; empty: everything where the source can count, else 30 days",
        ),
        "thorough": Param(False, type="boolean", description="Read the records even where the source can count"),
        "sweep": Param(
            "due",
            type="string",
            enum=["due", "now", "dry_run", "never"],
            description="Sweep the keys of the streams whose YAML says so (deletes.sweep): those that are due, or all "
            "of them now and nothing else, or only show what would be deleted",
        ),
        "accept_deletes": Param(None, **ACCEPT_DELETES),
        "repair": Param(False, type="boolean", description="Load again the days in which records differ"),
    },
    default_args={**retried(2), "pool": RECONCILE},
) as dag:
    streams = StreamsToReconcile(task_id="streams", doc_md="Which streams this run compares.")
    compare = ReconcileStream.partial(
        task_id="compare",
        doc_md="Compares one stream with its source and keeps what differs in `ops.drift`.",
        map_index_template="{{ task.stream }}",
        outlets=[REPAIRED],
    ).expand(stream=streams.output)
    watch = CheckFreshness(
        task_id="watch",
        doc_md="Checks freshness and drift of every stream; one alert when something is wrong, one when resolved.",
        trigger_rule="all_done",
    )
    costs = SettleCosts(
        task_id="costs",
        doc_md="Applies `catalog/prices.yaml`, measures what is stored, and opens an alert where a budget is reached.",
        trigger_rule="all_done",
    )
    hypercare = WatchNew(
        task_id="hypercare",
        doc_md="Watches new streams, entities and mapping versions, and sends digests to who has signed for them.",
        trigger_rule="all_done",
    )
    compare >> [costs, watch, hypercare]
