"""Somebody answers what is asked, as the API server records it: tests of the engine have no API server."""

from __future__ import annotations

from onefold.audit.approval import Question, decide, question_of_run
from onefold.errors import Fatal
from onefold.rollback.lifecycle import turn_down_rollback
from onefold.warehouse.connection import connect
from tests.roles import as_role

_ABOUT = "select dag_id, run_id from ops.approval where subject = %s order by approval_id desc limit 1"


def asked(url: str, subject: str) -> Question:
    """The newest question about a subject ("rollback:1"), as the role that may decide sees it."""
    with connect(as_role(url, "onefold_approvals"), autocommit=True) as connection:
        run = connection.execute(_ABOUT, (subject,)).fetchone()
        found = question_of_run(connection, *run) if run else None
    if found is None:
        raise Fatal(f"{subject}: there is nothing to approve.")
    return found


def answer(url: str, subject: str, user: str | None, *, approved: bool) -> None:
    """The user has read what is stored and answers; whoever triggered the run is whom the engine says."""
    question = asked(url, subject)
    by = f"airflow:{user}" if user else None
    with connect(as_role(url, "onefold_approvals"), autocommit=True) as connection:
        decide(
            connection,
            question.approval_id,
            approved=approved,
            by=by,
            started_by=question.requested_by,
            shown=question.plan,
        )


def record_decision(url: str, rollback_id: int, user: str | None, approved: bool) -> None:
    """The user answers about a rollback, and its task goes on."""
    answer(url, f"rollback:{rollback_id}", user, approved=approved)
    if not approved:
        turn_down_rollback(url, rollback_id, f"airflow:{user}")
