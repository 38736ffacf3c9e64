"""Four eyes: what a person is asked to approve, their decision, and the proof of it before anything is done.

The engine asks, and stores with the question the text that is shown and a hash of what would be done. The API server,
which alone has seen who signed in, records the decision (decide()). Both go through functions of the database that
check; no role writes an approval or its event itself. What is done then needs the event, never a value that a task, the
UI or a table of the engine has handed on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row, tuple_row

from onefold.audit.chain import Entry, digest
from onefold.audit.content import content_hash
from onefold.audit.given_up import DECISIONS
from onefold.audit.store import entries_about
from onefold.errors import Fatal

APPROVE, REJECT = "Approve", "Reject"
_OF_RUN = """
select approval_id, subject, dag_id, run_id, requested_by, plan, plan_sha256, content_sha256, decision, decided_by
from ops.approval where dag_id = %s and run_id = %s order by approval_id desc limit 1
"""
_ABOUT = "select decision from ops.approval where subject = %s order by approval_id desc limit 1"
_DONE = (
    "rollback.execute",
    "rollback.undo",
    "erase.execute",
    "migration.published",
    "plan.apply",
    "write_back.execute",
)
"""The actions of the events that say that what was approved is done: an approval is good for once."""
_FACTS = ("approval", "plan_sha256", "content_sha256")
_PREVIOUS = "select encode(hash, 'hex') from audit.event where seq = %s"


@dataclass(frozen=True, slots=True)
class Question:
    """One row of ops.approval. People are named as audit events name them ("airflow:anna.kowal")."""

    approval_id: int
    subject: str
    dag_id: str
    run_id: str
    requested_by: str | None
    plan: str
    plan_sha256: str
    content_sha256: str
    decision: str | None
    decided_by: str | None

    @property
    def number(self) -> int:
        """The operation's own number: 41 of "rollback:41"."""
        return int(self.subject.partition(":")[2])

    @property
    def approve_option(self) -> str:
        """What whoever approves chooses: it names the plan that they were shown. A page that shows an older plan of the
        same task has another one."""
        return f"{APPROVE} {self.plan_sha256[:12]}"


def ask(
    conn: psycopg.Connection,
    subject: str,
    dag_id: str,
    run_id: str,
    who: str,
    plan: str,
    content: Mapping[str, object],
    *,
    requested_by: str | None = None,
) -> int:
    """Ask for approval of `subject` ("rollback:41") in the caller's transaction; returns the question's number.

    `who` is the actor of the run, `plan` the text that is shown, `content` all that decides what would be done, as JSON
    would have it: Approval.require() wants the same again. Who has asked is the one who triggered the run, where it is
    not said in `requested_by` as audit events name people.
    """
    if requested_by is None and (by := triggering_user(who)):
        requested_by = f"airflow:{by}"
    row = (who, subject, dag_id, run_id, requested_by, plan, content_hash(content))
    with conn.cursor(row_factory=tuple_row) as cursor:
        asked = cursor.execute("select audit.ask_approval(%s, %s, %s, %s, %s, %s, %s)", row).fetchone()
    if asked is None:
        raise Fatal("audit.ask_approval gave no number: the database did not answer a function call.")
    return int(asked[0])


def lock_run(conn: psycopg.Connection, dag_id: str, run_id: str) -> None:
    """Until the end of the caller's transaction another attempt of the run, that looks what it has planned, waits."""
    conn.execute("select pg_advisory_xact_lock(hashtextextended(%s, 4))", (f"{dag_id}/{run_id}",))


def question_of_run(conn: psycopg.Connection, dag_id: str, run_id: str) -> Question | None:
    """What the run asks, or has asked last; None when it has planned nothing."""
    with conn.cursor(row_factory=class_row(Question)) as cursor:
        return cursor.execute(_OF_RUN, (dag_id, run_id)).fetchone()


def decision_about(conn: psycopg.Connection, subject: str) -> str | None:
    """What was decided about the newest plan of `subject`: approved, refused, withdrawn; None as long as nobody has
    answered."""
    found = conn.execute(_ABOUT, (subject,)).fetchone()
    return found[0] if found else None


def require_question(conn: psycopg.Connection, dag_id: str, run_id: str) -> Question:
    """What the run asks. Raises Fatal when it has planned nothing."""
    found = question_of_run(conn, dag_id, run_id)
    if found is None:
        raise Fatal(
            f"Run {run_id} of {dag_id} has planned nothing, so there is nothing to approve. Clear its first task."
        )
    return found


def is_asked(
    conn: psycopg.Connection, subject: str, dag_id: str, run_id: str, plan: str, content: Mapping[str, object]
) -> bool:
    """Whether the run asks for approval of `subject` with this very text and content, and nobody has refused it."""
    found = question_of_run(conn, dag_id, run_id)
    if found is None or found.decision not in (None, "approved"):
        return False
    return (found.subject, found.plan, found.content_sha256) == (subject, plan, content_hash(content))


def decide(
    conn: psycopg.Connection, approval_id: int, *, approved: bool, by: str | None, started_by: str | None, shown: str
) -> None:
    """Record a decision about the plan whose text was `shown`, as the role onefold_approvals.

    `by` has answered, `started_by` has triggered the run as Airflow knows it; both as audit events name people. Raises
    Fatal, saying why, when it is not recorded: the requester's own approval, another plan, nothing to decide.
    """
    arguments = (approval_id, approved, by, started_by, hashlib.sha256(shown.encode()).hexdigest())
    with conn.cursor(row_factory=tuple_row) as cursor:
        answer = cursor.execute("select audit.decide_approval(%s, %s, %s, %s, %s)", arguments).fetchone()
    if answer is None or answer[0] is not None:
        raise Fatal(str(answer[0]) if answer else "audit.decide_approval gave no answer.")


def withdraw(conn: psycopg.Connection, subject: str, who: str) -> None:
    """What was approved is so no longer; in the caller's transaction."""
    conn.execute("select audit.withdraw_approval(%s, %s)", (who, subject))


@dataclass(frozen=True, slots=True)
class Approval:
    """A decision for a plan, as the audit chain holds it: who approved, in which event, and what."""

    subject: str
    by: str
    seq: int
    content_sha256: str
    approval_id: int
    plan_sha256: str

    def require(self, content: Mapping[str, object]) -> None:
        """Raises Fatal when this is not what was approved."""
        if self.content_sha256 != content_hash(content):
            raise Fatal(
                f"{_name(self.subject)} would now do something else than was approved (audit event {self.seq}). "
                "Nothing was changed. Start a new one, and let its plan be approved."
            )


def require_approval(conn: psycopg.Connection, subject: str) -> Approval:
    """The approval of the newest plan of `subject`, read from the audit chain.

    Raises Fatal unless there is one, by another person than all who have asked for it, about that very plan, both
    events are whole links of the chain, and it was not done yet.
    """
    events = entries_about(conn, subject)
    asked = [entry for entry in events if entry.action == "approval.request"]
    decided = [entry for entry in events if entry.action in DECISIONS]
    if not asked or not decided or decided[-1].action != "approval.approve" or decided[-1].seq < asked[-1].seq:
        raise Fatal(f"{_name(subject)} is not approved. Nothing was changed.")
    request, approval = asked[-1], decided[-1]
    for entry in (request, approval):
        _require_link(conn, entry)
    if any(approval.payload.get(fact) != request.payload.get(fact) for fact in _FACTS):
        raise Fatal(f"{_name(subject)}: another plan was approved (audit event {approval.seq}). Nothing was changed.")
    if approval.actor.lower() in {str(entry.payload.get("requested_by")).lower() for entry in asked}:
        raise Fatal(f"{_name(subject)} must be approved by somebody else than {approval.actor}. Nothing was changed.")
    if done := [entry.seq for entry in events if entry.action in _DONE and entry.result == "ok"]:
        raise Fatal(f"{_name(subject)} was done already (audit event {done[0]}). Nothing was changed. Start a new one.")
    facts = approval.payload
    return Approval(
        subject=subject,
        by=approval.actor,
        seq=approval.seq,
        content_sha256=str(facts["content_sha256"]),
        approval_id=int(str(facts["approval"])),
        plan_sha256=str(facts["plan_sha256"]),
    )


def require_shown(conn: psycopg.Connection, approval: Approval, beginning: str) -> None:
    """Raises Fatal unless the text that was approved begins so: whoever asks says what is shown and what would be done,
    and they could be two things."""
    found = conn.execute("select plan from ops.approval where approval_id = %s", (approval.approval_id,)).fetchone()
    text = str(found[0]) if found else ""
    if hashlib.sha256(text.encode()).hexdigest() != approval.plan_sha256 or not text.startswith(beginning):
        raise Fatal(
            f"{_name(approval.subject)}: the text that was approved is about something else (event {approval.seq}). "
            "Nothing was changed. Start a new one, and let its plan be approved."
        )


def triggering_user(actor: str) -> str | None:
    """The user who triggered the run that an event names as its actor (see actor.py); None for any other actor."""
    user = re.match(r"airflow:by:([^/]+)/", actor)
    return user[1] if user else None


def _require_link(conn: psycopg.Connection, entry: Entry) -> None:
    before = conn.execute(_PREVIOUS, (entry.seq - 1,)).fetchone()
    if entry.hash != digest(entry) or (before and before[0] != entry.previous_hash):
        raise Fatal(f"Audit event {entry.seq} is not whole: nothing was changed. Run 'onefold audit verify'.")


def _name(subject: str) -> str:
    kind, _, number = subject.partition(":")
    return f"{kind.capitalize()} {number}"
