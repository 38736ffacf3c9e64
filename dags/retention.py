"""retention: every day what is kept no longer is deleted, from the warehouse, Airflow's database and the logs."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable

from onefold.orchestration.dag_docs import RETENTION_DOC
from onefold.orchestration.operators import CleanInstallation, PurgeWarehouse
from onefold.orchestration.retries import retried

with DAG(
    dag_id="retention",
    description="Deletes what is due by catalog/privacy.yaml",
    doc_md=RETENTION_DOC,
    # As for reconcile: switching it on does not begin the run of a time that is past.
    schedule=CronTriggerTimetable("30 3 * * *", timezone="UTC", run_immediately=timedelta(0)),
    catchup=False,
    max_active_runs=1,
    tags=["operations"],
    default_args=retried(2),
) as dag:
    PurgeWarehouse(
        task_id="warehouse",
        doc_md="Deletes what is due in the warehouse, in batches; the counts are in `ops.retention_purge`.",
    ) >> CleanInstallation(
        task_id="installation",
        doc_md="Lets `airflow db clean` delete old runs from Airflow's database, deletes old logs, rotates the rest.",
        trigger_rule="all_done",
    )
