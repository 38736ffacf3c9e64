"""erase: one person is erased everywhere, once another person has approved. The run names a case, no person."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from onefold.orchestration.approval import ApproveErasure
from onefold.orchestration.dag_docs import erase_doc
from onefold.orchestration.forms import REASON
from onefold.orchestration.operators import ExecuteErasure, PlanErasure
from onefold.orchestration.retries import retried

with DAG(
    dag_id="erase",
    description="Erases one person from every table, in place and for good",
    doc_md=erase_doc(),
    schedule=None,
    is_paused_upon_creation=False,  # it runs only when somebody asks for it
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["operations"],
    params={
        "case": Param("", type="string", pattern="^[0-9a-f]{16}$", description="As bin/onefold erase has opened it"),
        "basis": Param("", **REASON, description="On which ground; others read it in ops.erasure. Name no person"),
    },
    default_args=retried(4),
) as dag:
    (
        PlanErasure(task_id="plan", doc_md="Counts what would be erased, table by table; nothing is changed.")
        >> ApproveErasure(
            task_id="approve",
            doc_md="Waits until a person other than who started the run approves the plan, or anybody rejects it.",
        )
        >> ExecuteErasure(
            task_id="execute",
            doc_md="Erases in one transaction, searches once more, and writes tables and log anew. No undo.",
        )
    )
