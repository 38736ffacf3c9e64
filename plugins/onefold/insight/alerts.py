"""Alerts: what is wrong now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from onefold.insight.page import Page, bounded, page_of


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """One thing that is wrong: its kind (freshness, drift), what it is about, and since when it has been seen."""

    alert_id: int
    kind: str
    subject: str
    message: str
    first_seen: datetime
    last_seen: datetime
    occurrences: int


def count_open_alerts(connection: psycopg.Connection) -> int:
    """How many alerts have not ended."""
    row = connection.execute("select count(*) from ops.alert where resolved_at is null").fetchone()
    return row[0] if row else 0


def open_alerts(connection: psycopg.Connection, *, before: int | None = None, limit: int = 100) -> Page[OpenAlert]:
    """The alerts that have not ended, the newest first. Raises Fatal when the limit is out of range."""
    with connection.cursor(row_factory=class_row(OpenAlert)) as cursor:
        rows = cursor.execute(
            "select alert_id, kind, subject, message, first_seen, last_seen, occurrences from ops.alert"
            " where resolved_at is null and (%(before)s::bigint is null or alert_id < %(before)s)"
            " order by alert_id desc limit %(rows)s",
            {"before": before, "rows": bounded(limit) + 1},
        ).fetchall()
    return page_of(rows, limit, lambda row: row.alert_id)
