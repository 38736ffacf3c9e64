"""Compares one stream with its source, as cheaply as the source allows.

Where the source can count, it counts first, and only the windows whose counts differ are read. Where it cannot, the
stream is read: the last DEFAULT_LOOKBACK of its cursor, or all of it where the cursor is no time (as its loads do).
Reading goes through the stream's own reader and its rate limits; no load is started and staging is not changed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import psycopg

from onefold.audit import AuditEvent, append
from onefold.connectors.registry import connector_class
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal, OnefoldError
from onefold.load.extraction import CountSource, acknowledges
from onefold.load.job import Job
from onefold.load.usage import Usage
from onefold.reconcile.count_comparison import differing_windows, staged_by_day
from onefold.reconcile.drift import Drift, drift_of, save_drift
from onefold.reconcile.key_comparison import KeyComparison, is_timed
from onefold.warehouse.advisory_lock import advisory_lock
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors
from onefold.warehouse.rows import one_row

log = logging.getLogger(__name__)

DEFAULT_LOOKBACK = timedelta(days=30)
"""How far back a stream is read whose source cannot count, unless a start is given."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison that has ended (ops.reconciliation). `skipped` is why the stream was not compared, or None."""

    reconciliation_id: int
    window: Window | None
    records_read: int
    drift: Drift
    thorough: bool = False
    skipped: str | None = None


def compare_stream(
    job: Job, counts: CountSource, start: datetime | None = None, *, thorough: bool = False
) -> Comparison:
    """Compare the stream with its source from `start` on, and record what differs in ops.drift.

    `thorough` reads even where the source could count. Raises Retriable when the source or the warehouse fails, or the
    stream is being compared already; Fatal when the source refuses. ops.drift is then unchanged.
    """
    busy = f"{job.name} is being compared with its source already. Wait until that has ended."
    with (
        translate_errors(job.name),
        connect(job.warehouse_url, autocommit=True) as connection,
        advisory_lock(connection, job.name, namespace=3, busy=busy),
    ):
        number = _open(connection, job)
        try:
            with translate_errors(job.name):
                return _compare(connection, job, counts, number, start, thorough)
        except OnefoldError as error:
            if not connection.closed:
                _close(connection, job, number, "failed", {}, reason=str(error))
            raise


def why_not_comparable(connection: psycopg.Connection, job: Job) -> str | None:
    """Why a stream cannot be compared with its source; None when it can."""
    if job.stream.lookup:
        return "the source cannot list its records; each load looks up again what it has not looked up lately"
    if connector_class(job.system).capabilities.only_events:
        return "the source tells what has happened, and cannot list what it has"
    if acknowledges(job.system):
        return "the source delivers each record once, and deletes it when it is acknowledged"
    loaded = connection.execute(
        "select exists (select from ops.cursor where system = %s and stream = %s)",
        (job.system.system, job.stream_name),
    )
    return None if one_row(loaded)[0] else "the stream has not been loaded yet"


def _compare(
    connection: psycopg.Connection, job: Job, counts: CountSource, number: int, start: datetime | None, thorough: bool
) -> Comparison:
    system = job.system.system
    if reason := why_not_comparable(connection, job):
        log.info("%s is not compared: %s", job.name, reason)
        _close(connection, job, number, "skipped", {}, reason=reason)
        return Comparison(number, None, 0, drift_of(connection, system, job.stream_name), skipped=reason)
    usage, keys = Usage(), KeyComparison(connection, job.table, job.stream)
    try:
        whole, windows, counted = _choose_windows(connection, job, counts, usage, start, thorough, keys.started_at)
        if windows:
            if job.source is None:
                raise Fatal(f"{job.name} has no source to compare with. Report it: a replay's job cannot be compared.")
            with job.source(job.stream_name, usage) as pages:
                for window in windows:
                    for page in pages(replace(window, compares=True), None):
                        keys.add_page(page)
                        log.info("%s: %s records compared", job.name, f"{keys.records:,}")
            keys.find_deleted(windows)
    finally:
        usage.save_reconciliation(connection, number, system, job.stream_name)
    with connection.transaction():
        save_drift(connection, job.table, whole, number)
        drift = drift_of(connection, system, job.stream_name)
        connection.execute(
            "update ops.reconciliation set method = %s, window_start = %s, window_end = %s, windows_counted = %s,"
            " windows_read = %s, records_read = %s, missing = %s, changed = %s, deleted = %s"
            " where reconciliation_id = %s",
            (
                *("counts" if counted else "keys", whole.start, whole.end, counted),
                *(len(windows), keys.records),
                *(drift.missing, drift.changed, drift.deleted, number),
            ),
        )
        facts = {"missing": drift.missing, "changed": drift.changed, "deleted": drift.deleted}
        facts |= {"records_read": keys.records, "windows_read": len(windows)}
        _close(connection, job, number, "compared", facts)
    log.info("%s: %s missing, %s changed, %s deleted", job.name, drift.missing, drift.changed, drift.deleted)
    return Comparison(number, whole, keys.records, drift, thorough)


def _choose_windows(
    connection: psycopg.Connection,
    job: Job,
    counts: CountSource,
    usage: Usage,
    start: datetime | None,
    thorough: bool,
    now: datetime,
) -> tuple[Window, list[Window], int]:
    """The window to compare, the windows in it to read, and how many windows were counted."""
    if not is_timed(job.stream):
        return Window(BEGINNING, now), [Window(BEGINNING, now)], 0
    if start is not None and start >= now:
        raise Fatal(
            f"{job.name}: {start:%FT%TZ} is in the future, so there is nothing to compare yet. Give an earlier start."
        )
    start = _midnight(start) if start else None
    if not thorough:
        with counts(job.stream_name, usage) as counter:
            if counter:
                whole = Window(start or BEGINNING, now)
                windows, counted = differing_windows(whole, staged_by_day(connection, job.table, job.stream), counter)
                return whole, windows, counted
    whole = Window(start or _midnight(now - DEFAULT_LOOKBACK), now)
    return whole, [whole], 0


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _open(connection: psycopg.Connection, job: Job) -> int:
    row = one_row(
        connection.execute(
            "insert into ops.reconciliation (system, stream, dag_id, run_id, actor) values (%s, %s, %s, %s, %s)"
            " returning reconciliation_id",
            (job.system.system, job.stream_name, job.run.dag_id, job.run.run_id, job.run.actor),
        )
    )
    return int(row[0])


def _close(
    connection: psycopg.Connection,
    job: Job,
    number: int,
    state: str,
    facts: Mapping[str, int],
    reason: str | None = None,
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
