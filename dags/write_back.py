"""write_back__<target>: what a publish has changed is written into another system: planned, approved, executed."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, AssetAny, AssetOrTimeSchedule, CronDataIntervalTimetable, Param

from onefold.catalog.target import Target
from onefold.catalog.target_reader import read_targets
from onefold.orchestration.approval import ApproveWriteBack
from onefold.orchestration.assets import entity_asset
from onefold.orchestration.dag_docs import write_back_doc
from onefold.orchestration.forms import REPLAY_OUT
from onefold.orchestration.operators import ExecuteWriteBack, PlanWriteBack
from onefold.orchestration.retries import retried


def write_back_dag(target: Target) -> DAG:
    entities = sorted({each.entity for each in target.objects.values()})
    with DAG(
        dag_id=f"write_back__{target.target}",
        description=f"Writes golden records into {target.title}",
        doc_md=write_back_doc(target),
        # A publish starts it. The time brings what was not answered, once the target's longest run is over.
        schedule=AssetOrTimeSchedule(
            timetable=CronDataIntervalTimetable("*/5 * * * *", timezone="UTC"),
            assets=AssetAny(*(entity_asset(entity) for entity in entities)),
        ),
        start_date=datetime(2024, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=8,  # a run whose plan waits for an approval holds no other back
        tags=["write-back"],
        params={
            "replay": Param(
                None, **REPLAY_OUT, description="Refused records to intend again: all, or numbers of `ops.outbox`"
            ),
            "reason": Param(None, type=["null", "string"], maxLength=500, description="What was corrected"),
        },
        default_args=retried(4),
    ) as dag:
        plan = PlanWriteBack(
            task_id="plan",
            target=target.target,
            max_active_tis_per_dag=1,
            doc_md="Searches what was not answered, and plans what is intended; nothing is written.",
        )
        approve = ApproveWriteBack(
            task_id="approve",
            target=target.target,
            doc_md="Waits for another person's approval where a plan needs one; skipped where none does.",
        )
        execute, execute_approved = (
            ExecuteWriteBack(
                task_id=task_id,
                target=target.target,
                max_active_tis_per_dag=1,
                doc_md=f"Reads each record again, writes what was planned and {what}, and reads it back.",
            )
            for task_id, what in (("execute", "needs no approval"), ("execute_approved", "is approved"))
        )
        plan >> execute
        plan >> approve >> execute_approved
    return dag


for _target in read_targets().values():
    globals()[f"write_back__{_target.target}"] = write_back_dag(_target)
