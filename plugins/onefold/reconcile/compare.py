"""One stream compared with its source, as cheaply as the source allows.

Where the source can count, it counts first, and only the windows whose counts differ are read. Where it cannot, the
stream is read: the last SPAN of its cursor, or all of it where it has no cursor of time (its loads read it whole too).
Reading goes through the stream's own reader and its rate limits; no load is begun and nothing of staging is changed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg

from onefold.audit import AuditEvent, append
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal, OnefoldError, Retriable
from onefold.load.extraction import CountSource
from onefold.load.job import Job
from onefold.load.usage import Usage
from onefold.reconcile.count_comparison import held_by_day, narrowed
from onefold.reconcile.drift import Drift, drift_of, keep
from onefold.reconcile.key_comparison import Sweep, is_timed
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors

log = logging.getLogger(__name__)

SPAN = timedelta(days=30)
"""How far back a stream is read whose source cannot count, unless a start is asked for."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One row of ops.reconciliation that has ended. `skipped` is why the stream was not compared."""

    reconciliation_id: int
    window: Window | None
    records_read: int
    drift: Drift
    thorough: bool = False
    skipped: str | None = None


def compare(job: Job, counts: CountSource, start: datetime | None = None, *, thorough: bool = False) -> Compared:
    """Compare the stream with its source from `start` on, and keep what differs in ops.drift.

    `thorough` reads even where the source could count. Raises Retriable when the source or the warehouse fails, or the
    stream is being compared already; Fatal when the source refuses. What was known before then stays.
    """
    with translate_errors(job.name), connect(job.warehouse_url, autocommit=True) as connection:
        _hold(connection, job)
        number = _begun(connection, job)
        try:
            with translate_errors(job.name):
                return _compared(connection, job, counts, number, start, thorough)
        except OnefoldError as error:
            if not connection.closed:
                _end(connection, job, number, "failed", reason=str(error))
            raise


def why_not(connection: psycopg.Connection, job: Job) -> str | None:
    """Why a stream cannot be compared with its source; None when it can."""
    if job.stream.lookup:
        return "the source cannot list its records; each load asks again about what it has not answered lately"
    if job.system.python and job.system.python.confirms:
        return "the source hands each record over once, and forgets it when we have confirmed it"
    loaded = connection.execute(
        "select exists (select from ops.cursor where system = %s and stream = %s)",
        (job.system.system, job.stream_name),
    ).fetchone()[0]
    return None if loaded else "the stream has not been loaded yet"


def _compared(
    connection: psycopg.Connection, job: Job, counts: CountSource, number: int, start: datetime | None, thorough: bool
) -> Compared:
    system = job.system.system
    if reason := why_not(connection, job):
        log.info("%s is not compared: %s", job.name, reason)
        _end(connection, job, number, "skipped", reason=reason)
        return Compared(number, None, 0, drift_of(connection, system, job.stream_name), skipped=reason)
    usage, sweep = Usage(), Sweep(connection, job.table, job.stream)
    try:
        whole, windows, asked = _where(connection, job, counts, usage, start, thorough, sweep.began)
        if windows:
            with job.source(job.stream_name, usage) as pages:
                for window in windows:
                    for page in pages(window, None):
                        sweep.add(page)
                        log.info("%s: %s records compared", job.name, f"{sweep.records:,}")
            sweep.seek_gone(windows)
    finally:
        usage.save_reconciliation(connection, number, system, job.stream_name)
    with connection.transaction():
        keep(connection, job.table, whole, number)
        drift = drift_of(connection, system, job.stream_name)
        connection.execute(
            "update ops.reconciliation set how = %s, window_start = %s, window_end = %s, buckets_counted = %s,"
            " windows_read = %s, records_read = %s, missing = %s, changed = %s, gone = %s where reconciliation_id = %s",
            (
                *("counts" if asked else "keys", whole.start, whole.end, asked, len(windows), sweep.records),
                *(drift.missing, drift.changed, drift.gone, number),
            ),
        )
        facts = {"missing": drift.missing, "changed": drift.changed, "gone": drift.gone}
        _end(connection, job, number, "compared", records_read=sweep.records, windows_read=len(windows), **facts)
    log.info("%s: %s missing, %s changed, %s gone", job.name, drift.missing, drift.changed, drift.gone)
    return Compared(number, whole, sweep.records, drift, thorough)


def _where(
    connection: psycopg.Connection,
    job: Job,
    counts: CountSource,
    usage: Usage,
    start: datetime | None,
    thorough: bool,
    now: datetime,
) -> tuple[Window, list[Window], int]:
    """What is compared, the windows of it that are to be read, and how many windows were counted."""
    if not is_timed(job.stream):
        return Window(BEGINNING, now), [Window(BEGINNING, now)], 0
    if start is not None and start >= now:
        raise Fatal(
            f"{job.name}: {start:%FT%TZ} lies ahead, so there is nothing to compare yet. Give an earlier start."
        )
    start = _midnight(start) if start else None
    if not thorough:
        with counts(job.stream_name, usage) as counter:
            if counter:
                whole = Window(start or BEGINNING, now)
                windows, asked = narrowed(whole, held_by_day(connection, job.table, job.stream), counter)
                return whole, windows, asked
    whole = Window(start or _midnight(now - SPAN), now)
    return whole, [whole], 0


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _hold(connection: psycopg.Connection, job: Job) -> None:
    free = connection.execute("select pg_try_advisory_lock(hashtextextended(%s, 3))", (job.name,)).fetchone()[0]
    if not free:
        raise Retriable(f"{job.name} is being compared with its source already. Wait until that has ended.")


def _begun(connection: psycopg.Connection, job: Job) -> int:
    return connection.execute(
        "insert into ops.reconciliation (system, stream, dag_id, run_id, actor) values (%s, %s, %s, %s, %s)"
        " returning reconciliation_id",
        (job.system.system, job.stream_name, job.run.dag_id, job.run.run_id, job.run.actor),
    ).fetchone()[0]


def _end(
    connection: psycopg.Connection, job: Job, number: int, state: str, *, reason: str | None = None, **facts: int
) -> None:
    with connection.transaction():
        connection.execute(
            "update ops.reconciliation set state = %s, reason = %s, ended_at = now() where reconciliation_id = %s",
            (state, reason, number),
        )
        event = AuditEvent(
            actor=job.run.actor,
            action="reconcile.compare",
            subject=f"reconciliation:{number}",
            from_=job.name,
            to=f"staging.{job.table.name}",
            payload={"system": job.system.system, "stream": job.stream_name, **facts},
            result={"compared": "ok"}.get(state, state),
        )
        append(connection, event)
