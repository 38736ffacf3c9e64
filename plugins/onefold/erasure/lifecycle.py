"""An erasure from its plan to its end: plan, record the decision, execute; found by the run that asked for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import psycopg
from psycopg.types.json import Jsonb

from onefold.audit import AuditEvent, actor, append
from onefold.audit.separation_of_duties import require_second_person
from onefold.catalog.reader import Catalog
from onefold.conform.publish_ledger import conform_lock
from onefold.erasure.case_file import Case, close_case, read_case, save_case
from onefold.erasure.execute import erase_everywhere, require_nothing_left, streams_locked, streams_to_lock
from onefold.erasure.plan import ErasurePlan, make_plan
from onefold.erasure.request import ErasureRequest
from onefold.erasure.wipe import renew_log, rewrite_tables
from onefold.errors import Fatal
from onefold.load.ledger import Run
from onefold.privacy.places import find_places
from onefold.privacy.subject import Subject, find_subject
from onefold.privacy.suppressions import suppress
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors
from onefold.warehouse.post_commit import after_commit
from onefold.warehouse.rows import one_row


@dataclass(frozen=True, slots=True)
class Erasure:
    """One row of ops.erasure."""

    erasure_id: int
    case: str
    state: str
    approved_by: str | None
    plan: dict[str, object]
    touched: tuple[str, ...]


def preview_erasure(url: str, catalog: Catalog, case: Case) -> ErasurePlan:
    """What an erasure would do; nothing is recorded."""
    with translate_errors("erase"), connect(url, autocommit=True) as connection:
        return _make_plan(connection, catalog, case)[1]


def plan_erasure(url: str, catalog: Catalog, request: ErasureRequest, run: Run) -> tuple[int, ErasurePlan]:
    """Plan what the request asks for and record it in ops.erasure, for approval; returns its number and the plan.

    Raises Fatal for a case that is not open on this machine, and where the person's value is a record's key.
    """
    case = read_case(request.case)
    with translate_errors("erase"), connect(url, autocommit=True) as connection:
        _, plan = _make_plan(connection, catalog, case)
        with connection.transaction():
            (erasure_id,) = one_row(
                connection.execute(
                    "insert into ops.erasure (basis, privacy_case, dag_id, run_id, actor, plan)"
                    " values (%s, %s, %s, %s, %s, %s) returning erasure_id",
                    (request.basis, case.name, run.dag_id, run.run_id, run.actor, Jsonb(plan.as_json())),
                )
            )
            _audit(connection, run.actor, "erase.plan", erasure_id, plan)
    after_commit(url)
    return erasure_id, plan


def record_decision(url: str, run: Run, user: str | None, approved: bool) -> None:
    """Record a person's decision on the run's erasure. Whoever started it may turn it down, and nobody else's approval
    is taken for another's: raises Fatal when it is the starter's own, or when the erasure has ended."""
    with translate_errors("erase"), connect(url, autocommit=True) as connection:
        found = _of_run(connection, run)
        who = actor(user) if user else "airflow:nobody"
        if approved:
            try:
                require_second_person(connection, "erase.plan", f"erasure:{found.erasure_id}", user)
            except Fatal:
                with connection.transaction():
                    _audit(connection, who, "erase.decide", found.erasure_id, result="refused")
                raise
        with connection.transaction():
            if found.state != "planned":
                raise Fatal(f"Erasure {found.erasure_id} is {found.state}: there is nothing to decide.")
            if approved:
                connection.execute(
                    "update ops.erasure set approved_by = %s where erasure_id = %s", (user, found.erasure_id)
                )
            else:
                _end(connection, found.erasure_id, "refused", error="turned down")
            _audit(connection, who, "erase.decide", found.erasure_id, result="approved" if approved else "refused")
    if not approved:
        close_case(found.case)
    after_commit(url)


def execute_erasure(url: str, catalog: Catalog, run: Run) -> ErasurePlan | None:
    """Erase whom the run's plan names, once it is approved; None when that is done already.

    From the first moment on nothing of the person comes in. What is there is erased in one transaction; a search must
    find nothing more; then the tables and the log are written anew. An attempt that died goes on where it was. Raises
    Retriable while a load or a conform runs, Fatal when it is not approved or when the person has other records now
    than were approved.
    """
    with translate_errors("erase"), connect(url, autocommit=True) as connection, conform_lock(connection):
        found = _of_run(connection, run)
        if found.state == "done":
            return None
        if found.state == "refused" or found.approved_by is None:
            raise Fatal(f"Erasure {found.erasure_id} is {found.state} and not approved. Nothing was erased.")
        plan = _execute(connection, catalog, found, read_case(found.case))
        with connection.transaction():
            _end(connection, found.erasure_id, "done", outcome=plan)
            _audit(connection, run.actor, "erase.execute", found.erasure_id, plan)
        close_case(found.case)
    after_commit(url)
    return plan


def _execute(connection: psycopg.Connection, catalog: Catalog, found: Erasure, case: Case) -> ErasurePlan:
    subject = _subject(connection, catalog, case)
    _require_as_approved(found, subject)
    save_case(replace(case, values=case.values | subject.values, records=case.records | subject.records))
    suppress(connection, found.erasure_id, subject)
    places = list(find_places(connection, catalog, subject))
    with streams_locked(connection, streams_to_lock(connection, subject, places)):
        with connection.transaction():
            plan = make_plan(catalog, subject, find_places(connection, catalog, subject))
            touched = erase_everywhere(connection, catalog, subject) | set(found.touched)
            connection.execute(
                "update ops.erasure set state = 'executing', touched = %s where erasure_id = %s",
                (sorted(touched), found.erasure_id),
            )
        require_nothing_left(connection, catalog, subject)
    rewrite_tables(connection, touched)
    renew_log(connection)
    return plan


def _make_plan(connection: psycopg.Connection, catalog: Catalog, case: Case) -> tuple[Subject, ErasurePlan]:
    subject = _subject(connection, catalog, case)
    return subject, make_plan(catalog, subject, find_places(connection, catalog, subject))


def _subject(connection: psycopg.Connection, catalog: Catalog, case: Case) -> Subject:
    return find_subject(connection, catalog, case.values, golden=case.golden, records=case.records)


def _require_as_approved(found: Erasure, subject: Subject) -> None:
    """Raises Fatal when somebody else's records may have become the person's since the approval."""
    approved = found.plan.get("records")
    now = {f"{system}.{stream} {key}" for system, stream, key in subject.records}
    more = now - set(approved if isinstance(approved, list) else [])
    if more:
        raise Fatal(
            f"The person has {len(more)} more records now than erasure {found.erasure_id} was approved for. Nothing "
            "was erased. Start a new one, and let its plan be approved."
        )


def _of_run(connection: psycopg.Connection, run: Run) -> Erasure:
    row = connection.execute(
        "select erasure_id, privacy_case, state, approved_by, plan, touched from ops.erasure"
        " where dag_id = %s and run_id = %s order by erasure_id desc limit 1",
        (run.dag_id, run.run_id),
    ).fetchone()
    if row is None:
        raise Fatal(f"Run {run.run_id} has planned no erasure. Nothing was erased. Clear its task `plan`.")
    erasure_id, case, state, approved_by, plan, touched = row
    return Erasure(erasure_id, case, state, approved_by, plan, tuple(touched))


def _end(
    connection: psycopg.Connection,
    erasure_id: int,
    state: str,
    *,
    outcome: ErasurePlan | None = None,
    error: str | None = None,
) -> None:
    connection.execute(
        "update ops.erasure set state = %s, outcome = %s, error = %s, ended_at = now() where erasure_id = %s",
        (state, Jsonb(outcome.as_json()) if outcome else None, error, erasure_id),
    )


def _audit(
    connection: psycopg.Connection,
    who: str,
    action: str,
    erasure_id: int,
    plan: ErasurePlan | None = None,
    *,
    result: str = "ok",
) -> None:
    facts: dict[str, int | str] = {}
    if plan:
        facts = {"plan": plan.hash, "records": len(plan.records), "golden": len(plan.golden), "rows": plan.rows}
    append(
        connection,
        AuditEvent(actor=who, action=action, subject=f"erasure:{erasure_id}", payload=facts, result=result),
    )
