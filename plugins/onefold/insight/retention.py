"""What retention has deleted: its runs, and how many rows of what each has deleted.

What is kept how long and what is due now: retention/run.py (plan_retention), which counts every store.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from onefold.insight.page import Page, bounded, page_of


@dataclass(frozen=True, slots=True)
class RetentionRun:
    """One run: who, when, how it stands (running, done, interrupted), and how many rows it deleted or emptied."""

    retention_id: int
    actor: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    rows: int


@dataclass(frozen=True, slots=True)
class PurgedRows:
    """How many rows of one store and subject a run deleted or emptied, and the period that was said, in days; with a
    class, in how many it erased the values of that class."""

    store: str
    subject: str
    data_class: str
    days: int
    rows: int


def retention_runs(
    connection: psycopg.Connection, *, before: int | None = None, limit: int = 100
) -> Page[RetentionRun]:
    """The runs, the newest first. Raises Fatal when the limit is out of range."""
    with connection.cursor(row_factory=class_row(RetentionRun)) as cursor:
        rows = cursor.execute(
            "select r.*, (select coalesce(sum(p.rows), 0)::bigint from ops.retention_purge p"
            " where p.retention_id = r.retention_id) as rows from ops.retention r"
            " where %(before)s::bigint is null or retention_id < %(before)s order by retention_id desc limit %(rows)s",
            {"before": before, "rows": bounded(limit) + 1},
        ).fetchall()
    return page_of(rows, limit, lambda run: run.retention_id)


def purged_rows(connection: psycopg.Connection, retention_id: int, limit: int = 1000) -> list[PurgedRows]:
    """What one run deleted, the most first. Raises Fatal when the limit is out of range."""
    with connection.cursor(row_factory=class_row(PurgedRows)) as cursor:
        return cursor.execute(
            "select store, subject, data_class, (extract(epoch from period) / 86400)::int as days, rows"
            " from ops.retention_purge where retention_id = %s order by rows desc, store, subject, data_class limit %s",
            (retention_id, bounded(limit)),
        ).fetchall()
