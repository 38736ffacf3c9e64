"""rollback: published loads are removed again, or a rollback is undone, once another person has approved the plan."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from onefold.orchestration.approval import ApproveRollback
from onefold.orchestration.assets import ROLLED_BACK
from onefold.orchestration.dag_docs import rollback_doc
from onefold.orchestration.forms import LOADS, REASON
from onefold.orchestration.operators import ExecuteRollback, PlanRollback
from onefold.orchestration.retries import retried

with DAG(
    dag_id="rollback",
    description="Removes published loads from staging and conformed, as if they had never been; reversible",
    doc_md=rollback_doc(),
    schedule=None,
    is_paused_upon_creation=False,  # it runs only when somebody asks for it
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=4,
    tags=["operations"],
    params={
        "loads": Param(None, **LOADS, description="The loads to roll back, as 41, 42 (load_id of ops.load)"),
        "dag": Param(
            None, type=["null", "string"], description="Or all published loads of a run: its DAG, as sync__nbp"
        ),
        "run": Param(
            None, type=["null", "string"], description="The run of that DAG, as scheduled__2026-03-01T02:00:00+00:00"
        ),
        "undo": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            description="Or the rollback to undo (ops.rollback), and no loads",
        ),
        "reason": Param("", **REASON, description="Why; others read it in ops.rollback"),
    },
    default_args=retried(4),
) as dag:
    (
        PlanRollback(task_id="plan", doc_md="Works out what would change, stream by stream; nothing is changed.")
        >> ApproveRollback(
            task_id="approve",
            doc_md="Waits until a person other than who started the run approves the plan, or anybody rejects it.",
        )
        >> ExecuteRollback(
            task_id="execute",
            outlets=[ROLLED_BACK],
            doc_md="Does what was approved, in one transaction; conform then follows.",
        )
    )
