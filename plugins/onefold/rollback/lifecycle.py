"""A rollback from its plan to its end: plan and ask, turn down, execute; the undo of one goes the same way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace

import psycopg
from psycopg.types.json import Jsonb

from onefold.audit import AuditEvent, append
from onefold.audit.approval import (
    ask,
    is_asked,
    lock_run,
    question_of_run,
    require_approval,
    require_shown,
)
from onefold.catalog.reader import Catalog
from onefold.conform.publish_ledger import conform_lock
from onefold.errors import Fatal
from onefold.load import ledger
from onefold.load.extraction import lets_go
from onefold.rollback.apply import apply_change
from onefold.rollback.late_readings import gate_late_readings
from onefold.rollback.plan import RollbackPlan, StreamPlan, as_json, plan_stream
from onefold.rollback.request import (
    NOTHING_CHANGED,
    RollbackRequest,
    requested_loads,
    require_reason,
    stream_changes,
)
from onefold.rollback.stream_change import StreamChange, Target
from onefold.rollback.stream_state import restore_stream_state
from onefold.rollback.written_out import written_out_lines
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors
from onefold.warehouse.post_commit import after_commit
from onefold.warehouse.pre_commit import require_publishable
from onefold.warehouse.rows import one_row


def preview_rollback(url: str, catalog: Catalog, request: RollbackRequest) -> RollbackPlan:
    """What the request would do; nothing is recorded. Raises as plan_rollback()."""
    with translate_errors("rollback"), connect(url, autocommit=True) as connection:
        return _make_plan(connection, catalog, request)


def plan_rollback(url: str, catalog: Catalog, request: RollbackRequest, run: ledger.Run) -> RollbackPlan:
    """Plan what the request does, record it in ops.rollback, and ask for approval as this run.

    The run has one rollback, however often this is tried: what is planned otherwise now is asked anew, under the same
    number.

    Raises Fatal, with nothing changed, for a load that is unknown, not published, rolled back already or final, and
    Retriable while one of the streams is being loaded.
    """
    with translate_errors("rollback"), connect(url, autocommit=True) as connection:
        plan = _make_plan(connection, catalog, request, gate_url=url)
        with connection.transaction():
            before = _planned_before(connection, run)
            rollback_id = before or _begin(connection, request, plan, run)
            plan = replace(plan, rollback_id=rollback_id)
            subject, shown = _subject(rollback_id), plan.shown(run.actor)
            content = _content(plan.loads, request.undo, plan.streams)
            if not is_asked(connection, subject, run.dag_id, run.run_id, shown, content):
                if before:
                    _plan_anew(connection, request, plan)
                _audit(connection, run.actor, "rollback.plan", rollback_id, plan.loads)
                ask(connection, subject, run.dag_id, run.run_id, run.actor, shown, content)
    after_commit(url)
    return plan


def _planned_before(connection: psycopg.Connection, run: ledger.Run) -> int | None:
    """The rollback that an earlier attempt of the run has planned, and that has not ended; None for the first."""
    lock_run(connection, run.dag_id, run.run_id)
    question = question_of_run(connection, run.dag_id, run.run_id)
    if question is None:
        return None
    found = connection.execute(
        "select rollback_id from ops.rollback where rollback_id = %s and state = 'planned'", (question.number,)
    ).fetchone()
    return found[0] if found else None


def _begin(connection: psycopg.Connection, request: RollbackRequest, plan: RollbackPlan, run: ledger.Run) -> int:
    row = (list(plan.loads), request.reason, request.undo, run.actor, Jsonb(as_json(plan.streams)))
    begun: int = one_row(
        connection.execute(
            "insert into ops.rollback (loads, reason, undoes, actor, plan) values (%s, %s, %s, %s, %s)"
            " returning rollback_id",
            row,
        )
    )[0]
    return begun


def _plan_anew(connection: psycopg.Connection, request: RollbackRequest, plan: RollbackPlan) -> None:
    row = (list(plan.loads), request.reason, request.undo, Jsonb(as_json(plan.streams)), plan.rollback_id)
    connection.execute(
        "update ops.rollback set loads = %s, reason = %s, undoes = %s, plan = %s where rollback_id = %s", row
    )


def turn_down_rollback(url: str, rollback_id: int, by: str) -> None:
    """Somebody has refused it: it ends. Raises Fatal when it has ended already."""
    with translate_errors("rollback"), connect(url, autocommit=True) as connection, connection.transaction():
        _require_planned(connection, rollback_id)
        _end(connection, rollback_id, "refused", error=f"turned down by {by}")
        _audit(connection, by, "rollback.decide", rollback_id, (), "refused")
    after_commit(url)


def execute_rollback(url: str, catalog: Catalog, rollback_id: int, who: str) -> RollbackPlan:
    """Do what was planned and approved, all streams in one transaction; one that is done already does nothing more.

    The locks of the streams and of conform are held, so that no load and no conform sees half of it. Raises Retriable
    while one of them runs, Fatal when it was not approved, or when it would now do something else than was approved.
    """
    with translate_errors("rollback"), connect(url, autocommit=True) as connection, conform_lock(connection):
        loads, reason, state, undoes, approved_plan, asked_by = one_row(
            connection.execute(
                "select loads, reason, state, undoes, plan, actor from ops.rollback where rollback_id = %s",
                (rollback_id,),
            )
        )
        target: Target = "published" if undoes else "rolled_back"
        if state in ("done", "undone"):
            return RollbackPlan(rollback_id, tuple(loads), target, reason, ())
        if state == "refused":
            raise Fatal(f"Rollback {rollback_id} is {state} and not approved. {NOTHING_CHANGED} Start a new one.")
        require_approval(connection, _subject(rollback_id))
        require_publishable(connection)
        try:
            with _stream_locks(connection, stream_changes(connection, catalog.systems, loads, target)):
                # Once more, because only now nobody else can load.
                changes = stream_changes(connection, catalog.systems, loads, target)
                for change in changes:
                    gate_late_readings(connection, url, change, catalog.entities)
                with connection.transaction():
                    _require_planned(connection, rollback_id)  # from here on nobody decides otherwise
                    approval = require_approval(connection, _subject(rollback_id))
                    done = tuple(_execute_change(connection, change, catalog) for change in changes)
                    _require_as_approved(rollback_id, approved_plan, done)
                    approval.require(_content(loads, undoes, done))
                    executed = RollbackPlan(rollback_id, tuple(loads), target, reason, done)
                    require_shown(connection, approval, executed.head(asked_by))
                    _end(connection, rollback_id, "done", outcome=as_json(done))
                    if undoes:
                        _end(connection, undoes, "undone")
                    _audit(connection, who, "rollback.undo" if undoes else "rollback.execute", rollback_id, loads)
        except Fatal as error:
            with connection.transaction():
                _end(connection, rollback_id, "refused", error=str(error))
                _audit(connection, who, "rollback.execute", rollback_id, tuple(loads), "refused")
            raise
    after_commit(url)
    return executed


def _make_plan(
    connection: psycopg.Connection, catalog: Catalog, request: RollbackRequest, gate_url: str | None = None
) -> RollbackPlan:
    """The plan. With `gate_url`, the warehouse's URL, late readings pass the gate first."""
    require_reason(request)
    loads = requested_loads(connection, request)
    target: Target = "published" if request.undo else "rolled_back"
    changes = stream_changes(connection, catalog.systems, loads, target)
    if gate_url:
        for change in changes:
            gate_late_readings(connection, gate_url, change, catalog.entities)
    streams = tuple(plan_stream(connection, change, catalog.systems, catalog.entities) for change in changes)
    written = () if request.undo else written_out_lines(connection, loads)
    return RollbackPlan(None, loads, target, request.reason, streams, written)


def _require_planned(connection: psycopg.Connection, rollback_id: int) -> None:
    """Raises Fatal once it has ended; it cannot end before the caller's transaction does."""
    (state,) = one_row(
        connection.execute("select state from ops.rollback where rollback_id = %s for update", (rollback_id,))
    )
    if state != "planned":
        raise Fatal(f"Rollback {rollback_id} is {state}: there is nothing to decide. {NOTHING_CHANGED}")


def _execute_change(connection: psycopg.Connection, change: StreamChange, catalog: Catalog) -> StreamPlan:
    """Change one stream, inside the caller's transaction; returns what was done."""
    done = plan_stream(connection, change, catalog.systems, catalog.entities)
    apply_change(connection, change)
    keeps = lets_go(catalog.systems[change.system])
    restore_stream_state(connection, change, done.rows.other_loads, keeps_checkpoint=keeps)
    return done


@contextmanager
def _stream_locks(connection: psycopg.Connection, changes: Sequence[StreamChange]) -> Iterator[None]:
    """Hold the streams' locks: nobody can start a load of them."""
    try:
        for change in changes:
            ledger.lock_stream(connection, change.system, change.stream_name)
        yield
    finally:
        if not connection.closed:
            for change in changes:
                connection.execute(
                    "select pg_advisory_unlock(hashtextextended(%s, 1))", (f"{change.system}.{change.stream_name}",)
                )


def _subject(rollback_id: int) -> str:
    return f"rollback:{rollback_id}"


def _content(loads: Sequence[int], undoes: int | None, streams: Sequence[StreamPlan]) -> dict[str, object]:
    """What the rollback does, as it is approved: which loads, and what becomes of each stream's rows."""
    rows = {stream.stream: asdict(stream.rows) for stream in streams}
    return {"loads": sorted(loads), "undoes": undoes, "streams": rows}


def _require_as_approved(rollback_id: int, approved: Sequence[Mapping[str, object]], now: Sequence[StreamPlan]) -> None:
    """Raises Fatal when loads since the approval have changed what the rollback does."""
    approved_rows = {str(stream["stream"]): stream["rows"] for stream in approved}
    for stream in now:
        rows = asdict(stream.rows) | {"other_loads": list(stream.rows.other_loads)}
        if approved_rows.get(stream.stream) != rows:
            raise Fatal(
                f"Rollback {rollback_id} would now do something else to {stream.stream} than was approved: loads have "
                f"been published or rolled back since. {NOTHING_CHANGED} Pause the sync (the switch of the DAG "
                f"sync__{stream.stream.partition('.')[0]}), start a new one and let its plan be approved; switch the "
                "sync on again when it is done."
            )


def _end(
    connection: psycopg.Connection,
    rollback_id: int,
    state: str,
    *,
    outcome: Sequence[Mapping[str, object]] | None = None,
    error: str | None = None,
) -> None:
    connection.execute(
        "update ops.rollback set state = %s, outcome = coalesce(%s, outcome), error = %s, ended_at = now()"
        " where rollback_id = %s",
        (state, Jsonb(outcome) if outcome is not None else None, error, rollback_id),
    )


def _audit(
    connection: psycopg.Connection,
    who: str,
    action: str,
    rollback_id: int,
    loads: Sequence[int],
    result: str = "ok",
) -> None:
    append(
        connection,
        AuditEvent(
            actor=who,
            action=action,
            subject=_subject(rollback_id),
            payload={"loads": list(loads)},
            result=result,
        ),
    )
