"""conform: whenever a stream has published, map, resolve and publish the entities that it feeds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, AssetAny, task

from onefold.assets import entity_asset, staging_asset
from onefold.catalog.reader import read_catalog
from onefold.dag_docs import conform_doc

ENTITIES = read_catalog().entities
FEEDS = sorted({source for entity in ENTITIES.values() for source in entity.streams})


with DAG(
    dag_id="conform",
    description="Builds the entities from what the systems have published, and publishes them at one instant",
    doc_md=conform_doc(ENTITIES.values()),
    schedule=AssetAny(*(staging_asset(*feed.split(".")) for feed in FEEDS)),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["conform"],
    default_args={"retries": 2, "retry_delay": timedelta(seconds=10)},
):

    @task(outlets=[entity_asset(name) for name in ENTITIES])
    def conform(**context) -> dict:
        """Map, resolve, gate and publish what the loads since the last publish have changed."""
        from onefold import tasks

        return tasks.conform(context)

    conform()
