"""deliver__<target>: one DAG for each file in catalog/warehouses, which runs whenever conform has published."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, AssetAny, AssetOrTimeSchedule, CronDataIntervalTimetable, Param

from onefold.catalog.delivery_target import read_delivery_targets
from onefold.catalog.reader import read_entities
from onefold.orchestration.assets import delivery_asset, entity_asset
from onefold.orchestration.dag_docs import deliver_doc
from onefold.orchestration.operators import Deliver
from onefold.orchestration.retries import retried

ENTITIES = read_entities()

for name, target in read_delivery_targets(ENTITIES).items():
    with DAG(
        dag_id=f"deliver__{name}",
        description=f"Delivers what was published to {target.title}, and shows it there at one instant",
        doc_md=deliver_doc(target),
        # The hour brings what was published while the DAG was paused, and marts that change with the day alone. With
        # nothing new a run ends at once.
        schedule=AssetOrTimeSchedule(
            timetable=CronDataIntervalTimetable("10 * * * *", timezone="UTC"),
            assets=AssetAny(*(entity_asset(entity) for entity in ENTITIES)),
        ),
        start_date=datetime(2024, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        tags=["deliver"],
        params={
            "full": Param(False, type="boolean", description="Compare every row, and write again what differs"),
            "verify": Param(False, type="boolean", description="Only compare every row; nothing is written"),
            "conformance": Param(
                False, type="boolean", description="Only try out what deliveries rely on, in a table of its own there"
            ),
        },
        default_args=retried(3),
    ):
        Deliver(
            task_id="deliver",
            target=name,
            doc_md="Writes what changed since the last delivery, compares it with PostgreSQL, and moves the pointer.",
            outlets=[delivery_asset(name)],
        )
