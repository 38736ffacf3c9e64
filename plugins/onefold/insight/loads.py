"""Loads: what each brought, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.insight.page import Page, bounded, page_of


@dataclass(frozen=True, slots=True)
class LoadSummary:
    """One load: records by what became of them, the gate's verdict, and seconds of work in all its steps.

    `conflicting` are those of the quarantined that stand under one key with a different row. `withheld` are values of
    records that were published, not records.
    """

    system: str
    stream: str
    load_id: int
    dag_id: str
    run_id: str
    state: str
    read: int
    new: int
    changed: int
    deleted: int
    quarantined: int
    conflicting: int
    withheld: int
    verdict: str
    seconds: float
    error: str | None
    started_at: datetime
    ended_at: datetime | None
    rejected_in: str | None = None
    pages: int = 0

    @property
    def gate(self) -> str:
        """The gate's verdict on a load that was published, or how far a source was read whose load ended there; else
        the state that the load is in."""
        if self.state == "published":
            return self.verdict
        return self.unread or self.state

    @property
    def unread(self) -> str | None:
        """Where the load ended before the source was read to its end: whether anything of it came; else None."""
        if self.state != "rejected" or self.rejected_in != "extracting":
            return None
        return "not read to its end" if self.pages else "not reached"

    @property
    def is_stuck(self) -> bool:
        """Whether its last attempt failed, and it has not ended: a source is down, or the machine was."""
        return self.ended_at is None and self.error is not None


COLUMNS = sql.SQL(
    "load_id, dag_id, run_id, state,"
    " rows_read as read, rows_new as new, rows_changed as changed, rows_deleted as deleted,"
    " rows_quarantined as quarantined, rows_conflicting as conflicting, values_withheld as withheld,"
    " coalesce(verdict, 'none') as verdict,"
    " round((seconds_extracting + seconds_gating + seconds_publishing)::numeric, 1)::float8 as seconds, error,"
    " started_at, ended_at, rejected_in, pages"
)
_LOADS = sql.SQL("select system, stream, {} from ops.load ").format(COLUMNS)
_OF_RUN = sql.SQL(
    "select distinct on (system, stream) system, stream, {} from ops.load where dag_id = %s and run_id = %s"
    " order by system, stream, load_id desc"
).format(COLUMNS)


def loads_of_run(connection: psycopg.Connection, dag_id: str, run_id: str) -> list[LoadSummary]:
    """The loads of one DAG run, by stream; of a stream that was loaded more than once, the last."""
    with connection.cursor(row_factory=class_row(LoadSummary)) as cursor:
        return cursor.execute(_OF_RUN, (dag_id, run_id)).fetchall()


def loads_of_stream(
    connection: psycopg.Connection, system: str, stream: str, *, before: int | None = None, limit: int = 100
) -> Page[LoadSummary]:
    """The loads of one stream, the newest first. Raises Fatal when the limit is out of range."""
    query = _LOADS + sql.SQL(
        "where system = %(system)s and stream = %(stream)s and (%(before)s::bigint is null or load_id < %(before)s)"
        " order by load_id desc limit %(rows)s"
    )
    values = {"system": system, "stream": stream, "before": before, "rows": bounded(limit) + 1}
    with connection.cursor(row_factory=class_row(LoadSummary)) as cursor:
        rows = cursor.execute(query, values).fetchall()
    return page_of(rows, limit, lambda row: row.load_id)


@dataclass(frozen=True, slots=True)
class PublishedLoad:
    """One load that stands in staging, or is rolled back. `rows`: new, changed and deleted ones. `is_final`: it is too
    old to be rolled back."""

    system: str
    stream: str
    load_id: int
    dag_id: str
    run_id: str
    rows: int
    ended_at: datetime
    is_final: bool


_PUBLISHED = (
    "select system, stream, load_id, dag_id, run_id, rows_new + rows_changed + rows_deleted as rows,"
    " coalesce(ended_at, started_at) as ended_at, coalesce(rollback_until <= now(), true) as is_final from ops.load "
)


def published_loads(
    connection: psycopg.Connection,
    *,
    system: str | None = None,
    stream: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Page[PublishedLoad]:
    """The loads that are published, of all streams or some, the newest first. Raises Fatal when the limit is out of
    range."""
    query = _PUBLISHED + (
        "where state = 'published' and (%(system)s::text is null or system = %(system)s)"
        " and (%(stream)s::text is null or stream = %(stream)s)"
        " and (%(before)s::bigint is null or load_id < %(before)s) order by load_id desc limit %(rows)s"
    )
    values = {"system": system, "stream": stream, "before": before, "rows": bounded(limit) + 1}
    with connection.cursor(row_factory=class_row(PublishedLoad)) as cursor:
        rows = cursor.execute(query, values).fetchall()
    return page_of(rows, limit, lambda row: row.load_id)


def loads_of_numbers(connection: psycopg.Connection, numbers: Sequence[int], limit: int = 100) -> list[PublishedLoad]:
    """The loads of these numbers, at most so many, in their order. Raises Fatal when the limit is out of range."""
    query = _PUBLISHED + "where load_id = any (%s) order by load_id limit %s"
    with connection.cursor(row_factory=class_row(PublishedLoad)) as cursor:
        return cursor.execute(query, (list(numbers), bounded(limit))).fetchall()
