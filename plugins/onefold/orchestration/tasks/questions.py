"""What a run asks, found in the warehouse by the run: an XCom could have been edited."""

from __future__ import annotations

from airflow.sdk import Context

from onefold.audit.approval import Question, require_question
from onefold.errors import Fatal
from onefold.orchestration.tasks.run import run_of
from onefold.settings import warehouse_url
from onefold.warehouse.connection import connect


def question(context: Context) -> Question:
    """The newest plan of this run. Raises Fatal when it has none."""
    run = run_of(context)
    with connect(warehouse_url(), autocommit=True) as connection:
        return require_question(connection, run.dag_id, run.run_id)


def require_decision(context: Context, *, approved: bool) -> Question:
    """The run's plan, about which somebody has decided.

    Raises Fatal when an approval was answered that the API server has not recorded: it saw no person who may give it.
    """
    found = question(context)
    if approved and found.decision != "approved":
        raise Fatal(
            f"{found.subject} was answered, but nobody's approval is recorded (ops.approval): the answer did not come "
            "through the API server. Nothing was changed. Clear this task and let another person approve."
        )
    return found
