"""ops.erasure: each erasure with its state, the tables that it has changed, and what it has erased so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from psycopg.types.json import Jsonb

from onefold.audit.approval import lock_run
from onefold.erasure.plan import ErasurePlan
from onefold.load.ledger import Run
from onefold.warehouse.rows import one_row

AGAIN = "a restored backup had it again"
_COLUMNS = "select erasure_id, privacy_case, state, touched, outcome, run_id from ops.erasure"


@dataclass(frozen=True, slots=True)
class Erasure:
    """One row of ops.erasure. `outcome` is what earlier attempts have erased; None where none came so far."""

    erasure_id: int
    case: str
    state: str
    touched: tuple[str, ...]
    outcome: ErasurePlan | None
    run_id: str

    @property
    def subject(self) -> str:
        """By what approvals and audit events name it."""
        return f"erasure:{self.erasure_id}"


def begin(connection: psycopg.Connection, basis: str, case: str, run: Run, plan: ErasurePlan | None) -> Erasure:
    """Record an erasure as planned."""
    content = Jsonb(plan.as_json()) if plan else Jsonb({})
    (erasure_id,) = one_row(
        connection.execute(
            "insert into ops.erasure (basis, privacy_case, dag_id, run_id, actor, plan)"
            " values (%s, %s, %s, %s, %s, %s) returning erasure_id",
            (basis, case, run.dag_id, run.run_id, run.actor, content),
        )
    )
    return Erasure(erasure_id, case, "planned", (), None, run.run_id)


def of_run(connection: psycopg.Connection, run: Run) -> Erasure | None:
    """The newest erasure of the run; None where it has planned none."""
    return _read(
        connection.execute(
            f"{_COLUMNS} where dag_id = %s and run_id = %s order by erasure_id desc limit 1", (run.dag_id, run.run_id)
        )
    )


def unfinished_of_run(connection: psycopg.Connection, run: Run) -> Erasure | None:
    """The erasure that an attempt of the run before this one has planned, and that has not ended; None for the first.

    In the caller's transaction, until whose end another attempt that looks waits.
    """
    lock_run(connection, run.dag_id, run.run_id)
    return _read(
        connection.execute(
            f"{_COLUMNS} where dag_id = %s and run_id = %s and state in ('planned', 'executing')"
            " order by erasure_id desc limit 1",
            (run.dag_id, run.run_id),
        )
    )


def plan_anew(connection: psycopg.Connection, erasure_id: int, plan: ErasurePlan) -> None:
    """Another plan takes the place of what was planned."""
    connection.execute(
        "update ops.erasure set plan = %s, planned_at = now() where erasure_id = %s",
        (Jsonb(plan.as_json()), erasure_id),
    )


def unfinished_again(connection: psycopg.Connection) -> Erasure | None:
    """An erasure of what a restored backup had again, of which an attempt has died: it has no case, for the basis of
    one that has is what somebody has typed."""
    return _read(
        connection.execute(
            f"{_COLUMNS} where basis = %s and privacy_case = '' and state in ('planned', 'executing')"
            " order by erasure_id desc limit 1",
            (AGAIN,),
        )
    )


def record_progress(
    connection: psycopg.Connection, erasure_id: int, touched: Iterable[str], outcome: ErasurePlan
) -> None:
    """What has been erased, in the transaction that erases it: an attempt that follows does not find it any more."""
    connection.execute(
        "update ops.erasure set state = 'executing', touched = %s, outcome = %s where erasure_id = %s",
        (sorted(touched), Jsonb(outcome.as_json()), erasure_id),
    )


def end(connection: psycopg.Connection, erasure_id: int, state: str, error: str | None = None) -> None:
    """It is done or refused."""
    connection.execute(
        "update ops.erasure set state = %s, error = %s, ended_at = now() where erasure_id = %s",
        (state, error, erasure_id),
    )


def _read(cursor: psycopg.Cursor) -> Erasure | None:
    row = cursor.fetchone()
    if row is None:
        return None
    erasure_id, case, state, touched, outcome, run_id = row
    earlier = ErasurePlan.from_json(outcome) if outcome else None
    return Erasure(erasure_id, case, state, tuple(touched), earlier, run_id)
