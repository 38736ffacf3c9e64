"""Sweeps: the keys of a stream are listed at its source now and then, and what is gone there is deleted.

A sweep is a load of its own (ops.load.sweep): it lands the keys, makes deletions of what they lack, and publishes
these, so that it is audited, resumed and rolled back as any load is. It runs in the daily DAG `reconcile`, which looks
at the sources as a whole, one stream at a time; while it lists, the stream's other loads wait.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.connectors.key_listing import why_no_sweep
from onefold.errors import Fatal
from onefold.load import ledger, steps
from onefold.load.job import Job
from onefold.load.ledger import Load
from onefold.text_table import table
from onefold.warehouse.connection import connect

log = logging.getLogger(__name__)

EARLY = timedelta(hours=2)
"""A run that comes a little earlier than a day after the last one is the next one all the same."""


def sweep_stream(job: Job, at: datetime, *, now: bool = False, dry_run: bool = False) -> Load | None:
    """Sweep the stream where that is due `at` this time, or `now` in any case; None where it is not due.

    A `dry_run` finds what would be deleted, and publishes nothing. Raises Fatal when the stream cannot be swept,
    Rejected when the guard refuses what is missing, and what a load raises.
    """
    if why := why_no_sweep(job.system, job.stream_name):
        raise Fatal(f"{job.name} cannot be swept: {why}.")
    with connect(job.warehouse_url) as connection:
        loaded = ledger.latest(connection, job.system.system, job.stream_name)
        last = _last(connection, job)
    if loaded is None:
        log.info("%s is not swept: it has not been loaded yet", job.name)
        return None
    if last and job.is_retry and (last.dag_id, last.run_id) == (job.run.dag_id, job.run.run_id):
        return last  # by an attempt before this one
    every = job.stream.deletes.sweep.every if job.stream.deletes.sweep else None
    if not now and (every is None or (last and at < last.started_at + every - EARLY)):
        return None
    if not dry_run:
        return steps.run(job)
    steps.land(job)
    return _count_found(job, steps.dry_run(job))


def _last(connection: psycopg.Connection, job: Job) -> Load | None:
    """The stream's last sweep that is published."""
    with connection.cursor(row_factory=class_row(Load)) as cursor:
        return cursor.execute(
            "select * from ops.load where system = %s and stream = %s and sweep and state = 'published'"
            " order by load_id desc limit 1",
            (job.system.system, job.stream_name),
        ).fetchone()


def _count_found(job: Job, load: Load) -> Load:
    """The dry run with the number of records that it would have deleted."""
    with connect(job.warehouse_url) as connection:
        found = sql.SQL("(select count(*) from {} where _deleted)").format(load.tables.candidate)
        connection.execute(
            sql.SQL("update ops.load set rows_deleted = {} where load_id = {}").format(found, load.load_id)
        )
        return ledger.get(connection, load.load_id)


@dataclass(frozen=True, slots=True)
class SweepLine:
    """A sweep of one stream: the keys that it listed, what it asked of the source for them, and what was gone.

    `deleted` is what a dry run would have deleted. `error` is why it was refused.
    """

    system: str
    stream: str
    load_id: int
    state: str
    keys: int
    pages: int
    requests: int
    deleted: int
    seconds: float
    error: str | None

    def as_json(self) -> dict[str, object]:
        """The line as plain JSON containers."""
        return asdict(self)


def sweeps_of_run(connection: psycopg.Connection, dag_id: str, run_id: str) -> list[SweepLine]:
    """The sweeps of one DAG run, by stream."""
    with connection.cursor(row_factory=class_row(SweepLine)) as cursor:
        return cursor.execute(
            "select distinct on (system, stream) system, stream, load_id, state, rows_read as keys, pages,"
            " (select coalesce(sum(requests), 0)::bigint from ops.usage u where u.load_id = l.load_id) as requests,"
            " rows_deleted as deleted,"
            " round((seconds_extracting + seconds_gating + seconds_publishing)::numeric, 1)::float8 as seconds, error"
            " from ops.load l where dag_id = %s and run_id = %s and sweep order by system, stream, load_id desc",
            (dag_id, run_id),
        ).fetchall()


def sweep_table(lines: Sequence[SweepLine]) -> str:
    """A table with a line for each sweep, and below it why sweeps were refused."""
    heads = ("system", "stream", "load", "state", "keys", "pages", "requests", "deleted", "seconds")
    rows = [
        (
            *(line.system, line.stream, f"{line.load_id}", line.state),
            *(f"{number:,}" for number in (line.keys, line.pages, line.requests, line.deleted)),
            f"{line.seconds:.1f}",
        )
        for line in lines
    ]
    why = [line.error for line in lines if line.error]
    return "\n".join([table(heads, rows, left=4), *([""] if why else []), *why])
