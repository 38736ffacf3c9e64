"""The differences that there are now (ops.drift): kept after each comparison, and read by alerts and by the repair."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import psycopg
from psycopg import sql

from onefold.connectors.window import BEGINNING, Window
from onefold.warehouse.tables import StagingTable

DAY = timedelta(days=1)
MOST_WINDOWS = 24
"""A repair is so many loads at most; days that lie close together are then loaded with what is between them."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How many records of a stream differ, by kind, and since when the oldest does (None: nothing differs)."""

    missing: int
    changed: int
    gone: int
    oldest: datetime | None

    @property
    def records(self) -> int:
        return self.missing + self.changed + self.gone


def keep(connection: psycopg.Connection, table: StagingTable, window: Window, reconciliation_id: int) -> None:
    """Take over what a sweep has found (its table `difference`) within the caller's transaction.

    Within the compared window a record that was not found again agrees now. Outside it, one agrees when staging has a
    version that was read after the difference was seen last: then a load has brought it since.
    """
    names = {"system": table.system, "stream": table.stream, "id": reconciliation_id}
    connection.execute(
        sql.SQL(
            """
            delete from ops.drift d
            where d.system = %(system)s and d.stream = %(stream)s
              and not exists (select from difference found where found._key = d._key)
              and (
                  d.bucket is null or (d.bucket >= %(first)s and d.bucket < %(end)s::timestamptz)
                  or {brought}
              )
            """
        ).format(brought=_brought_since(table, "d")),
        names | {"first": window.start.date(), "end": window.end},
    )
    connection.execute(
        sql.SQL(
            """
            insert into ops.drift (system, stream, _key, kind, bucket, since, reconciliation_id)
            select %(system)s, %(stream)s, _key, kind, bucket, since, %(id)s from difference
            on conflict (system, stream, _key) do update
            set kind = excluded.kind, bucket = excluded.bucket, last_seen = now(),
                reconciliation_id = excluded.reconciliation_id,
                since = case when {brought} then excluded.since else least(drift.since, excluded.since) end
            """
        ).format(brought=_brought_since(table, "drift")),
        names,
    )


def _brought_since(table: StagingTable, drift: str) -> sql.Composable:
    """Whether a load has brought the record after its difference was seen last: one that is seen now is a new one."""
    return sql.SQL(
        "exists (select from {staging} v where v._key = {drift}._key and v._extracted_at > {drift}.last_seen)"
    ).format(staging=table.versions, drift=sql.Identifier(drift))


def drift_of(connection: psycopg.Connection, system: str, stream: str) -> Drift:
    """What differs of a stream now."""
    return Drift(
        *connection.execute(
            "select count(*) filter (where kind = 'missing'), count(*) filter (where kind = 'changed'),"
            " count(*) filter (where kind = 'gone'), min(since) from ops.drift where system = %s and stream = %s",
            (system, stream),
        ).fetchone()
    )


def windows_to_repair(connection: psycopg.Connection, system: str, stream: str, now: datetime) -> list[Window]:
    """The windows that hold all differing records, days that follow each other in one.

    The whole past where the stream has no windows of time.
    """
    days = [
        day
        for (day,) in connection.execute(
            "select distinct bucket from ops.drift where system = %s and stream = %s order by 1 nulls first",
            (system, stream),
        ).fetchall()
    ]
    if None in days:
        return [Window(BEGINNING, now)]
    return joined(days, now)


def joined(days: Sequence[date], now: datetime, most: int = MOST_WINDOWS) -> list[Window]:
    """Windows over these days (ascending), as few as there are gaps between them, and `most` at most."""
    if not days:
        return []
    gaps = sorted((later - earlier, later) for earlier, later in itertools.pairwise(days))
    kept = [later for gap, later in gaps if gap > DAY][-(most - 1) :]
    firsts = sorted([days[0], *kept])
    lasts = [max(day for day in days if day < first) for first in firsts[1:]] + [days[-1]]
    return [
        Window(start, min(_midnight(last) + DAY, now))
        for first, last in zip(firsts, lasts, strict=True)
        if (start := _midnight(first)) < now
    ]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
