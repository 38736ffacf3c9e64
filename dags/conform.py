"""conform: whenever a stream has published, map, resolve and publish the entities that it feeds."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, AssetAny

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
    schedule=AssetAny(*(staging_asset(*feed.split(".")) for feed in FEEDS)),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["conform"],
    default_args=retried(2),
):
    Conform(
        task_id="conform",
        doc_md="Maps, resolves, gates and publishes what the loads since the last publish have changed.",
        outlets=[entity_asset(name) for name in ENTITIES],
    )
