"""The quarantine: the rows that wait there, and the values that are withheld from rows that are published, and why.

How large a share of a stream's records lacks an attribute: load/withheld_rates.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.insight.page import Page, bounded, page_of


@dataclass(frozen=True, slots=True)
class QuarantineReason:
    """How many rows of a stream wait for one expectation, since when."""

    system: str
    stream: str
    expectation: str
    rows: int
    oldest: datetime
    newest: datetime


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """One row that waits, without its content: `key` and `reason` name no personal value of a well-kept suite."""

    quarantine_id: int
    system: str
    stream: str
    key: str | None
    load_id: int
    suite: str
    expectation: str
    reason: str
    quarantined_at: datetime


@dataclass(frozen=True, slots=True)
class WithheldValue:
    """One attribute (entity.attribute) that one published record lacks: why, what kind of value the source gave, and
    what would be allowed; never the value."""

    quarantine_id: int
    system: str
    stream: str
    key: str | None
    load_id: int
    attribute: str
    expectation: str
    reason: str
    value_kind: str | None
    allowed: str | None
    quarantined_at: datetime


def quarantine_reasons(
    connection: psycopg.Connection, limit: int = 1000, *, system: str | None = None, stream: str | None = None
) -> list[QuarantineReason]:
    """The open rows by stream and expectation, the most frequent first. Raises Fatal when the limit is out of range."""
    with connection.cursor(row_factory=class_row(QuarantineReason)) as cursor:
        return cursor.execute(
            "select system, stream, expectation, count(*) as rows, min(quarantined_at) as oldest,"
            " max(quarantined_at) as newest from ops.quarantine where state = 'open' and attribute is null"
            " and (%(system)s::text is null or system = %(system)s)"
            " and (%(stream)s::text is null or stream = %(stream)s)"
            " group by 1, 2, 3 order by rows desc, 1, 2, 3 limit %(rows)s",
            {"system": system, "stream": stream, "rows": bounded(limit)},
        ).fetchall()


def quarantined_rows(
    connection: psycopg.Connection,
    *,
    system: str | None = None,
    stream: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> Page[QuarantinedRow]:
    """The open rows, the newest first. Raises Fatal when the limit is out of range."""
    given = {"system": system, "stream": stream, "attribute": None, "before": before}
    columns = "load_id, suite, expectation, reason, quarantined_at"
    with connection.cursor(row_factory=class_row(QuarantinedRow)) as cursor:
        query = _OPEN.format(columns=sql.SQL(columns), which=sql.SQL("attribute is null"))
        rows = cursor.execute(query, {**given, "rows": bounded(limit) + 1}).fetchall()
    return page_of(rows, limit, lambda row: row.quarantine_id)


def withheld_values(
    connection: psycopg.Connection,
    *,
    system: str | None = None,
    stream: str | None = None,
    attribute: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> Page[WithheldValue]:
    """The values that are withheld now, the newest first. Raises Fatal when the limit is out of range."""
    given = {"system": system, "stream": stream, "attribute": attribute, "before": before}
    columns = "load_id, attribute, expectation, reason, value_kind, allowed, quarantined_at"
    with connection.cursor(row_factory=class_row(WithheldValue)) as cursor:
        query = _OPEN.format(columns=sql.SQL(columns), which=sql.SQL("attribute is not null"))
        rows = cursor.execute(query, {**given, "rows": bounded(limit) + 1}).fetchall()
    return page_of(rows, limit, lambda row: row.quarantine_id)


_OPEN = sql.SQL(
    """
    select quarantine_id, system, stream, _key as key, {columns} from ops.quarantine
    where state = 'open' and {which}
      and (%(system)s::text is null or system = %(system)s)
      and (%(stream)s::text is null or stream = %(stream)s)
      and (%(attribute)s::text is null or attribute = %(attribute)s)
      and (%(before)s::bigint is null or quarantine_id < %(before)s)
    order by quarantine_id desc limit %(rows)s
    """
)
