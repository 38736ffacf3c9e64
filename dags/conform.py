"""conform: whenever a stream has published (or did while it was paused), map, resolve and publish its entities."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, AssetAny, AssetOrTimeSchedule, CronDataIntervalTimetable

from onefold.catalog.reader import read_catalog
from onefold.orchestration.assets import entity_asset, staging_asset
from onefold.orchestration.dag_docs import conform_doc
from onefold.orchestration.operators import Conform
from onefold.orchestration.retries import retried

ENTITIES = read_catalog().entities
FEEDS = sorted({source for entity in ENTITIES.values() for source in entity.streams})


with DAG(
    dag_id="conform",
    description="Builds the entities from what the systems have published, and publishes them at one instant",
    doc_md=conform_doc(ENTITIES.values()),
    # Airflow drops the events that come while a DAG is paused. The time brings what was published then: at once when it
    # is switched on after a quarter of an hour or more, else at the next one. With nothing new a run ends at once.
    schedule=AssetOrTimeSchedule(
        timetable=CronDataIntervalTimetable("*/15 * * * *", timezone="UTC"),
        assets=AssetAny(*(staging_asset(*feed.split(".")) for feed in FEEDS)),
    ),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["conform"],
    default_args=retried(2),
) as conform:
    Conform(
        task_id="conform",
        doc_md="Maps, resolves, gates and publishes what the loads since the last publish have changed.",
        outlets=[entity_asset(name) for name in ENTITIES],
    )
