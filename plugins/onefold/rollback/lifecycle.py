"""A rollback from its plan to its end: plan, decide, execute; undoing one goes the same way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import psycopg
from psycopg.types.json import Jsonb

from onefold.audit import AuditEvent, actor, append
from onefold.audit.separation_of_duties import require_other
from onefold.catalog.reader import Catalog
from onefold.conform.publish_ledger import only_one
from onefold.errors import Fatal
from onefold.load import ledger
from onefold.rollback.apply import settle
from onefold.rollback.late_readings import judge_late
from onefold.rollback.plan import StreamPlan, as_json, plan_stream
from onefold.rollback.request import NOTHING, Request, asked_loads, changes
from onefold.rollback.stream_change import Change
from onefold.rollback.stream_state import settle_beside
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors
from onefold.warehouse.post_commit import after_commit


@dataclass(frozen=True, slots=True)
class Planned:
    """What a rollback would do. `rollback_id` is None while it is only asked about."""

    rollback_id: int | None
    loads: tuple[int, ...]
    to: str
    reason: str
    streams: tuple[StreamPlan, ...]

    @property
    def text(self) -> str:
        """The plan in words, a line each."""
        return "\n".join(line for stream in self.streams for line in stream.lines(self.to))

    def as_json(self) -> dict[str, object]:
        """For scripts, and for Airflow's XCom."""
        return {
            "rollback_id": self.rollback_id,
            "loads": list(self.loads),
            "to": self.to,
            "reason": self.reason,
            "streams": as_json(self.streams),
            "text": self.text,
        }


def preview(url: str, catalog: Catalog, request: Request) -> Planned:
    """What the request would do; nothing is written down. Raises as plan()."""
    with translate_errors("rollback"), connect(url, autocommit=True) as connection:
        return _planned(connection, catalog, request)


def plan(url: str, catalog: Catalog, request: Request, who: str) -> Planned:
    """Work out what the request would do and keep it in ops.rollback, for approval.

    Raises Fatal, with nothing changed, for a load that is unknown, not published, rolled back already or final, and
    Retriable while one of the streams is being loaded.
    """
    with translate_errors("rollback"), connect(url, autocommit=True) as connection:
        planned = _planned(connection, catalog, request, judging=url)
        with connection.transaction():
            rollback_id = connection.execute(
                "insert into ops.rollback (loads, reason, undoes, actor, plan) values (%s, %s, %s, %s, %s)"
                " returning rollback_id",
                (list(planned.loads), request.reason, request.undo, who, Jsonb(as_json(planned.streams))),
            ).fetchone()[0]
            _audit(connection, who, "rollback.plan", rollback_id, planned.loads)
    after_commit(url)
    return Planned(rollback_id, planned.loads, planned.to, planned.reason, planned.streams)


def decide(url: str, rollback_id: int, user: str | None, approved: bool) -> None:
    """Keep a person's decision, before anything is executed. Whoever started it may turn it down.

    Raises Fatal when it is the starter's own approval (who that was is read from the audit chain), or when the rollback
    has ended.
    """
    with translate_errors("rollback"), connect(url, autocommit=True) as connection:
        who = actor(user) if user else "airflow:nobody"
        if approved:
            try:
                require_other(connection, "rollback.plan", f"rollback:{rollback_id}", user)
            except Fatal:
                with connection.transaction():
                    _audit(connection, who, "rollback.decide", rollback_id, (), "refused")
                raise
        with connection.transaction():
            _require_planned(connection, rollback_id)
            if approved:
                connection.execute(
                    "update ops.rollback set approved_by = %s where rollback_id = %s", (user, rollback_id)
                )
            else:
                _end(connection, rollback_id, "refused", error=f"turned down by {user}")
            _audit(connection, who, "rollback.decide", rollback_id, (), "approved" if approved else "refused")
    after_commit(url)


def execute(url: str, catalog: Catalog, rollback_id: int, who: str) -> Planned:
    """Do what was planned and approved, all streams in one transaction; done already, it does nothing more.

    The streams' locks and conform's are held, so that no load and no conform sees half of it. Raises Retriable while
    one of them runs, Fatal when it was not approved, or when it would now do something else than what was approved.
    """
    with translate_errors("rollback"), connect(url, autocommit=True) as connection, only_one(connection):
        loads, reason, state, undoes, approved_by, approved_plan = connection.execute(
            "select loads, reason, state, undoes, approved_by, plan from ops.rollback where rollback_id = %s",
            (rollback_id,),
        ).fetchone()
        to = "published" if undoes else "rolled_back"
        if state in ("done", "undone"):
            return Planned(rollback_id, tuple(loads), to, reason, ())
        if state == "refused" or approved_by is None:
            raise Fatal(f"Rollback {rollback_id} is {state} and not approved. {NOTHING} Start it anew.")
        try:
            with _held(connection, changes(connection, catalog.systems, loads, to)):
                wanted = changes(connection, catalog.systems, loads, to)  # as it is now that nobody else can load
                for change in wanted:
                    judge_late(connection, url, change, catalog.entities)
                with connection.transaction():
                    done = tuple(_executed(connection, change, catalog) for change in wanted)
                    _same_as_approved(rollback_id, approved_plan, done)
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
    return Planned(rollback_id, tuple(loads), to, reason, done)


def _planned(connection: psycopg.Connection, catalog: Catalog, request: Request, judging: str | None = None) -> Planned:
    """The plan; `judging` is the URL over which what no gate has seen is judged first, or None to leave it."""
    loads = asked_loads(connection, request)
    to = "published" if request.undo else "rolled_back"
    wanted = changes(connection, catalog.systems, loads, to)
    if judging:
        for change in wanted:
            judge_late(connection, judging, change, catalog.entities)
    streams = tuple(plan_stream(connection, change, catalog.systems) for change in wanted)
    return Planned(None, loads, to, request.reason, streams)


def _require_planned(connection: psycopg.Connection, rollback_id: int) -> None:
    """Raises Fatal once it has ended; it cannot end before the caller's transaction does."""
    (state,) = connection.execute(
        "select state from ops.rollback where rollback_id = %s for update", (rollback_id,)
    ).fetchone()
    if state != "planned":
        raise Fatal(f"Rollback {rollback_id} is {state}: there is nothing to decide. {NOTHING}")


def _executed(connection: psycopg.Connection, change: Change, catalog: Catalog) -> StreamPlan:
    """Change one stream, inside the caller's transaction; what was done."""
    done = plan_stream(connection, change, catalog.systems)
    settle(connection, change)
    settle_beside(connection, change, done.rows.moved_loads)
    return done


@contextmanager
def _held(connection: psycopg.Connection, wanted: Sequence[Change]) -> Iterator[None]:
    """Hold the streams' locks: nobody begins to load them."""
    try:
        for change in wanted:
            ledger.lock_stream(connection, change.system, change.stream_name)
        yield
    finally:
        if not connection.closed:
            for change in wanted:
                connection.execute(
                    "select pg_advisory_unlock(hashtextextended(%s, 1))", (f"{change.system}.{change.stream_name}",)
                )


def _same_as_approved(rollback_id: int, approved: Sequence[Mapping[str, object]], now: Sequence[StreamPlan]) -> None:
    """What is executed is what was shown: loads that came meanwhile may have changed what it means."""
    was = {str(stream["stream"]): stream["rows"] for stream in approved}
    for stream in now:
        if was.get(stream.stream) != asdict(stream.rows) | {"moved_loads": list(stream.rows.moved_loads)}:
            raise Fatal(
                f"Rollback {rollback_id} would now do something else to {stream.stream} than was approved: loads have "
                f"been published or rolled back since. {NOTHING} Start it anew, and let the new plan be approved."
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
            subject=f"rollback:{rollback_id}",
            payload={"loads": list(loads)},
            result=result,
        ),
    )
