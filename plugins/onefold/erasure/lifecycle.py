"""An erasure from its plan to its end: plan and ask, turn down, execute; found by the run that asked for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from onefold.audit import AuditEvent, actor, append
from onefold.audit.approval import ask, is_asked, require_approval, require_shown, triggering_user
from onefold.catalog.reader import Catalog
from onefold.catalog.target_reader import read_targets
from onefold.change.ledger import forget_records
from onefold.conform.publish_ledger import conform_lock
from onefold.erasure import ledger
from onefold.erasure.case_file import Case, close_case, read_case, save_case
from onefold.erasure.execute import (
    erase_places,
    erase_suppressed,
    places_left,
    require_nothing_left,
    streams_locked,
    streams_to_lock,
)
from onefold.erasure.ledger import Erasure
from onefold.erasure.log_files import lines_naming, overwrite_in_logs
from onefold.erasure.plan import ErasurePlan, make_plan, plan_head
from onefold.erasure.request import ErasureRequest
from onefold.erasure.statements import TABLE as STATEMENTS
from onefold.erasure.statements import forget_statements, plan_of, statements_naming, word_by_word
from onefold.erasure.wipe import renew_log, rewrite_tables, tables_once_held
from onefold.errors import Fatal
from onefold.load.ledger import Run
from onefold.load.person import find_everywhere, find_person
from onefold.privacy.direct_reads import try_to_collect_direct_reads
from onefold.privacy.kept import kept_records, remember_kept
from onefold.privacy.places import Place
from onefold.privacy.records import RecordId
from onefold.privacy.subject import Subject
from onefold.privacy.suppressions import (
    enter,
    missing_lines,
    records_of_erasure,
    suppress,
    suppressed_records,
    suppressions,
)
from onefold.privacy.tables import warehouse_tables
from onefold.privacy.values import Finder
from onefold.settings import settings
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors
from onefold.warehouse.post_commit import after_commit
from onefold.warehouse.pre_commit import is_older_than_anchors, require_publishable
from onefold.warehouse.rows import one_row
from onefold.write_back.erased import written_to

_MOST_ROUNDS = 3
"""How often what came in meanwhile, by loads that had begun before, is looked for and erased."""


def preview_erasure(url: str, catalog: Catalog, case: Case) -> ErasurePlan:
    """What an erasure would do; nothing is recorded."""
    with translate_errors("erase"), connect(url, autocommit=True) as connection:
        return _make_plan(connection, catalog, case)[1]


def plan_erasure(url: str, catalog: Catalog, request: ErasureRequest, run: Run) -> tuple[int, ErasurePlan]:
    """Plan what the request asks for and record it in ops.erasure, for approval; returns its number and the plan.

    The run has one erasure, however often this is tried: what is planned otherwise now is asked anew, under the same
    number; what has begun stays as it was approved. Raises Fatal for a case that is not open on this machine, and where
    the person's value is a record's key.
    """
    case = read_case(request.case)
    with translate_errors("erase"), connect(url, autocommit=True) as connection:
        subject, plan = _make_plan(connection, catalog, case)
        with connection.transaction():
            before = ledger.unfinished_of_run(connection, run)
            found = before or ledger.begin(connection, request.basis, case.name, run, plan)
            who = triggering_user(run.actor) or run.actor
            shown = plan.shown(plan_head(found.erasure_id, case.name, request.basis, who))
            content = _content(case.name, subject.records)
            asked = is_asked(connection, found.subject, run.dag_id, run.run_id, shown, content)
            if found.state == "planned" and not asked:
                if before:
                    ledger.plan_anew(connection, found.erasure_id, plan)
                _audit(connection, run.actor, "erase.plan", found.erasure_id, plan)
                ask(connection, found.subject, run.dag_id, run.run_id, run.actor, shown, content)
    after_commit(url)
    return found.erasure_id, plan


def turn_down_erasure(url: str, erasure_id: int, by: str) -> None:
    """Somebody has refused it: it ends, and its case is destroyed. Raises Fatal when it has ended already."""
    with translate_errors("erase"), connect(url, autocommit=True) as connection:
        with connection.transaction():
            (case, state) = one_row(
                connection.execute(
                    "select privacy_case, state from ops.erasure where erasure_id = %s for update", (erasure_id,)
                )
            )
            if state == "refused":
                close_case(case)
            if state != "planned":
                raise Fatal(f"Erasure {erasure_id} is {state}: there is nothing to decide.")
            ledger.end(connection, erasure_id, "refused", "turned down")
            _audit(connection, by, "erase.decide", erasure_id, result="refused")
        close_case(case)
    after_commit(url)


def execute_erasure(url: str, catalog: Catalog, run: Run) -> ErasurePlan | None:
    """Erase whom the run's plan names, once it is approved; None when that is done already.

    From the first moment on nothing of the person comes in. What is there is erased in one transaction; a search must
    find nothing more; then the tables and the log are written anew. An attempt that died goes on where it was. Raises
    Retriable while a load or a conform runs, Fatal when it is not approved or when the person has other records now
    than were approved.
    """
    with translate_errors("erase"), connect(url, autocommit=True) as connection, conform_lock(connection):
        found = ledger.of_run(connection, run)
        if found is None:
            raise Fatal(f"Run {run.run_id} has planned no erasure. Nothing was erased. Clear its task `plan`.")
        if found.state == "done":
            close_case(found.case)
            return None
        if found.state == "refused":
            close_case(found.case)
            raise Fatal(f"Erasure {found.erasure_id} is refused and not approved. Nothing was erased.")
        require_approval(connection, found.subject)
        require_publishable(connection)
        try_to_collect_direct_reads(url, catalog, run.actor)
        subject, plan = _execute(connection, catalog, found, read_case(found.case), run.actor)
        try_to_collect_direct_reads(url, catalog, run.actor)
        _end(connection, found, run, "erase.execute", plan, word_by_word(subject.known))
        close_case(found.case)
    after_commit(url)
    return plan


def erase_again(url: str, catalog: Catalog) -> ErasurePlan:
    """Erase what a restored backup has brought back of persons whom the register's copy names; they were approved then.

    Returns what was erased. An attempt that died goes on where it was. Raises Retriable while a load or a conform runs,
    Fatal when nothing was brought back.
    """
    with translate_errors("erase"), connect(url, autocommit=True) as connection, conform_lock(connection):
        missing = missing_lines(connection)
        found = ledger.unfinished_again(connection)
        if not missing and not found:
            raise Fatal(
                "All suppressions of the register's copy are in this database: there is nothing to erase again."
            )
        run = Run("erase", found.run_id if found else f"again__{datetime.now(UTC):%Y%m%dT%H%M%S%f}", actor())
        found = found or ledger.begin(connection, ledger.AGAIN, "", run, None)
        records = {*suppressed_records(missing), *records_of_erasure(connection, found.erasure_id)}
        subject = _subject(connection, catalog, Case("", frozenset(), records=frozenset(records)))
        try_to_collect_direct_reads(url, catalog, run.actor)
        plan = _erase(connection, catalog, found, subject, run.actor, missing)
        try_to_collect_direct_reads(url, catalog, run.actor)
        _end(connection, found, run, "erase.again", plan, suppressions(connection))
        said = not is_older_than_anchors(connection)
    if said:  # else `audit restored` comes next, and anchors
        after_commit(url)
    return plan


def _execute(
    connection: psycopg.Connection, catalog: Catalog, found: Erasure, case: Case, who: str
) -> tuple[Subject, ErasurePlan]:
    subject = _subject(connection, catalog, case)
    with connection.transaction():  # what has begun is turned down no more
        basis, asked_by = one_row(
            connection.execute(
                "update ops.erasure set state = 'executing' where erasure_id = %s returning basis, actor",
                (found.erasure_id,),
            )
        )
        approval = require_approval(connection, found.subject)
        head = plan_head(found.erasure_id, case.name, basis, triggering_user(asked_by) or asked_by)
        require_shown(connection, approval, head)
        approval.require(_content(case.name, subject.records))
    save_case(replace(case, values=case.values | subject.values, records=case.records | subject.records))
    return subject, _erase(connection, catalog, found, subject, who)


def _erase(
    connection: psycopg.Connection,
    catalog: Catalog,
    found: Erasure,
    subject: Subject,
    who: str,
    missing: Sequence[str] = (),
) -> ErasurePlan:
    """Keep the person out, search, erase what was found, search again, write anew. `missing` are lines of the
    register's copy that this database lacks: they are entered when all is erased, for until then they say that it holds
    what was erased."""
    if found.case:
        suppress(connection, found.erasure_id, subject)
    finder: Finder = word_by_word(subject.known)
    targets = read_targets(catalog)
    elsewhere = written_to(connection, targets, subject.golden, subject.known)
    logs = lines_naming(_logs(), subject.known)
    nothing = replace(make_plan(catalog, subject, ()), logs=logs, elsewhere=elsewhere)
    touched, plan = set(found.touched), nothing.after(found.outcome)
    # What a law keeps was counted by the attempt that erased the rest.
    look = places_left if found.outcome else find_everywhere
    places = list(look(connection, catalog, subject))
    with streams_locked(connection, streams_to_lock(connection, subject, places)):
        for _ in range(_MOST_ROUNDS):
            with connection.transaction():
                now = erase_places(connection, catalog, targets, subject, places)
                touched |= {place.table.full_name for place in now if place.fields}
                remember_kept(connection, found.erasure_id, kept_records(now))
                if missing:
                    enter(connection, found.erasure_id, missing)
                    finder = suppressions(connection) or finder
                    touched |= erase_suppressed(connection, catalog, subject, finder)
                    missing = ()
                statements = statements_naming(connection, finder)
                touched |= {STATEMENTS} if statements else set()
                plan = _plan(catalog, subject, now, statements).after(plan)
                ledger.record_progress(connection, found.erasure_id, touched, plan)
                forget_statements(connection, found.erasure_id, statements, who)
                forget_records(connection)
            if not (places := places_left(connection, catalog, subject)):
                break
        require_nothing_left(connection, catalog, subject, places)
    rewrite_tables(connection, tables_once_held(warehouse_tables(connection, catalog), touched, subject))
    renew_log(connection)
    overwrite_in_logs(_logs(), subject.known)
    return plan


def _make_plan(connection: psycopg.Connection, catalog: Catalog, case: Case) -> tuple[Subject, ErasurePlan]:
    subject = _subject(connection, catalog, case)
    statements = statements_naming(connection, word_by_word(subject.known))
    plan = _plan(catalog, subject, find_everywhere(connection, catalog, subject), statements)
    elsewhere = written_to(connection, read_targets(catalog), subject.golden, subject.known)
    return subject, replace(plan, logs=lines_naming(_logs(), subject.known), elsewhere=elsewhere)


def _plan(catalog: Catalog, subject: Subject, places: Iterable[Place], statements: Sequence[bytes]) -> ErasurePlan:
    plan = make_plan(catalog, subject, places)
    return replace(plan, tables={**plan.tables, **plan_of(statements)})


def _logs() -> Path:
    return settings().home / "logs"


def _subject(connection: psycopg.Connection, catalog: Catalog, case: Case) -> Subject:
    return find_person(connection, catalog, case.values, golden=case.golden, records=case.records)


def _content(case: str, records: Iterable[RecordId]) -> dict[str, object]:
    """What is approved: whose case, and which records are taken for that person's own. Other rows may become more."""
    return {"case": case, "records": sorted(map(list, records))}


def _end(
    connection: psycopg.Connection, found: Erasure, run: Run, action: str, plan: ErasurePlan, finder: Finder | None
) -> None:
    with connection.transaction():
        # What readers have asked may hold a value of the person. Who asked is recorded; PostgreSQL forgets it, and so
        # does the record of statements where one came while this went on.
        connection.execute("select audit.forget_counted_statements(%s)", (run.actor,))
        if finder:
            forget_statements(connection, found.erasure_id, statements_naming(connection, finder), run.actor)
        ledger.end(connection, found.erasure_id, "done")
        _audit(connection, run.actor, action, found.erasure_id, plan)


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
