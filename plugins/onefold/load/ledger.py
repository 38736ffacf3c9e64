"""The load ledger (ops.load): which loads there are and what state each is truly in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

import psycopg
from psycopg.rows import class_row

from onefold.connectors.window import Window
from onefold.errors import Busy
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import SHARED_LANDING_TABLES, LandingTables

State = Literal["extracting", "landed", "gated", "published", "rejected", "rolled_back", "dry_run"]


@dataclass(frozen=True, slots=True)
class Run:
    """Who loads: the Airflow run and the person or schedule behind it."""

    dag_id: str
    run_id: str
    actor: str


@dataclass(frozen=True, slots=True)
class Load:
    """One row of ops.load; times in UTC, durations in seconds."""

    load_id: int
    system: str
    stream: str
    window_start: datetime
    window_end: datetime
    state: State
    dag_id: str
    run_id: str
    actor: str
    pages: int
    rows_read: int
    rows_new: int
    rows_changed: int
    rows_deleted: int
    rows_quarantined: int
    values_withheld: int
    rows_conflicting: int
    verdict: str | None
    error: str | None
    seconds_extracting: float
    seconds_gating: float
    seconds_publishing: float
    started_at: datetime
    ended_at: datetime | None
    cursor_value: str | None
    moved_cursor: bool
    rollback_until: datetime | None
    last_active: datetime
    rejected_in: State | None
    sweep: bool
    fields_fingerprint: str | None
    cpu_seconds: Decimal | None

    @property
    def window(self) -> Window:
        return Window(self.window_start, self.window_end)

    @property
    def tables(self) -> LandingTables:
        return LandingTables(self.load_id)

    @property
    def in_progress(self) -> bool:
        return self.state in ("extracting", "landed", "gated")


def latest(connection: psycopg.Connection, system: str, stream: str, run: Run | None = None) -> Load | None:
    """The newest load of a stream (of one run, if given)."""
    query = "select * from ops.load where system = %s and stream = %s"
    values: list[object] = [system, stream]
    if run:
        query += " and dag_id = %s and run_id = %s"
        values += [run.dag_id, run.run_id]
    with connection.cursor(row_factory=class_row(Load)) as cursor:
        return cursor.execute(query + " order by load_id desc limit 1", values).fetchone()


def in_progress_of(connection: psycopg.Connection, system: str, stream: str, run: Run) -> Load | None:
    """The run's newest load of the stream, if it is in progress."""
    load = latest(connection, system, stream, run)
    return load if load and load.in_progress else None


def get(connection: psycopg.Connection, load_id: int) -> Load:
    """One load, which must exist."""
    with connection.cursor(row_factory=class_row(Load)) as cursor:
        return one_row(cursor.execute("select * from ops.load where load_id = %s", (load_id,)))


def begin(
    connection: psycopg.Connection, system: str, stream: str, window: Window, run: Run, *, sweep: bool = False
) -> Load:
    """Open a load in state extracting, or a sweep. The caller holds the stream's lock."""
    with connection.cursor(row_factory=class_row(Load)) as cursor:
        return one_row(
            cursor.execute(
                "insert into ops.load (system, stream, window_start, window_end, dag_id, run_id, actor, sweep)"
                " values (%s, %s, %s, %s, %s, %s, %s, %s) returning *",
                (system, stream, window.start, window.end, run.dag_id, run.run_id, run.actor, sweep),
            )
        )


def lock_stream(connection: psycopg.Connection, system: str, stream: str) -> None:
    """Take the stream's lock for this session. Raises Busy when another process is loading the stream."""
    locked = one_row(
        connection.execute("select pg_try_advisory_lock(hashtextextended(%s, 1))", (f"{system}.{stream}",))
    )[0]
    if not locked:
        other = latest(connection, system, stream)
        which = f"load {other.load_id} of run {other.run_id}" if other else "another load"
        raise Busy(f"{system}.{stream} is being loaded by {which}. Wait until it has ended; this one tries again.")


def close_abandoned(
    connection: psycopg.Connection,
    system: str,
    stream: str,
    run: Run,
    run_is_over: Callable[[str, str], bool],
    idle: timedelta,
) -> None:
    """Close a load that an earlier run left in progress. The caller holds the stream's lock, so no process works on it.

    Raises Busy when that run still goes on and is between two of its attempts. One that has done nothing for `idle` is
    not waited for: its DAG is paused, or nobody runs its tasks; if it comes again, it begins anew.
    """
    left = latest(connection, system, stream)
    if left is None or not left.in_progress or (left.dag_id, left.run_id) == (run.dag_id, run.run_id):
        return
    silent = one_row(connection.execute("select %s < now() - %s", (left.last_active, idle)))[0]
    if not run_is_over(left.dag_id, left.run_id):
        if silent:
            reject(
                connection,
                left,
                f"abandoned: run {left.run_id} has done nothing since {left.last_active:%Y-%m-%d %H:%M} UTC (is its "
                "DAG paused?), and another run waited for the stream; it begins anew when it comes again",
            )
            return
        raise Busy(
            f"{system}.{stream} has load {left.load_id} in progress (state {left.state}, run {left.run_id}). "
            "Wait until that run has ended; this one tries again."
        )
    reject(connection, left, f"abandoned: run {left.run_id} ended before the load was published")


def reject(connection: psycopg.Connection, load: Load, error: str, cpu_seconds: float = 0) -> None:
    """End a load without publishing it, and drop what it had landed. Staging and cursor are untouched."""
    with connection.transaction():
        connection.execute(
            "update ops.load set rejected_in = state, state = 'rejected', error = %s, ended_at = now(),"
            " cpu_seconds = cpu_seconds + %s where load_id = %s",
            (error, cpu_seconds, load.load_id),
        )
        discard_landing(connection, load.tables)


def end_dry_run(connection: psycopg.Connection, load: Load) -> None:
    """End a load that was gated and is not to be published. What it landed stays, for who looks at it or takes it
    over, until it is given up; staging and cursor are untouched."""
    connection.execute(
        "update ops.load set state = 'dry_run', verdict = 'passed', ended_at = now() where load_id = %s",
        (load.load_id,),
    )


def discard_landing(connection: psycopg.Connection, tables: LandingTables) -> None:
    """Drop the load's landing tables and its rows in the shared ones, inside the caller's transaction."""
    every = psycopg.sql.SQL(", ").join(tables.all)  # cascade: the views of a dry run go too
    connection.execute(psycopg.sql.SQL("drop table if exists {} cascade").format(every))
    forget_shared_rows(connection, tables.load_id)


def forget_shared_rows(connection: psycopg.Connection, load_id: int) -> None:
    """Delete the load's rows in the landing tables that all loads share, on one way to the server."""
    delete = psycopg.sql.SQL("delete from {} where load_id = {}")
    connection.execute(
        psycopg.sql.SQL("; ").join(
            delete.format(psycopg.sql.Identifier("landing", shared), load_id) for shared in SHARED_LANDING_TABLES
        )
    )
