"""The records that differ now (ops.drift): saved after each comparison, and read by alerts and by the repair."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import psycopg
from psycopg import sql

from onefold.connectors.window import BEGINNING, Window
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import StagingTable

DAY = timedelta(days=1)
MAX_REPAIR_WINDOWS = 24
"""The most loads of a repair; with more gaps, days that are close together are loaded with the days between them."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How many records of a stream differ, by kind, and since when the oldest does (None when nothing differs).

    `missing` records are at the source only, `changed` ones are newer there, `deleted` ones are no longer there.
    """

    missing: int
    changed: int
    deleted: int
    oldest: datetime | None

    @property
    def records(self) -> int:
        return self.missing + self.changed + self.deleted


def save_drift(connection: psycopg.Connection, table: StagingTable, window: Window, reconciliation_id: int) -> None:
    """Save what a comparison found (its temporary table `difference`) within the caller's transaction.

    A record of the compared window that no longer differs is deleted from ops.drift. One outside the window is deleted
    when staging has a version that was read after the difference was last seen: a load has fixed it since.
    """
    names = {"system": table.system, "stream": table.stream, "id": reconciliation_id}
    connection.execute(
        sql.SQL(
            """
            delete from ops.drift d
            where d.system = %(system)s and d.stream = %(stream)s
              and not exists (select from difference found where found._key = d._key)
              and (
                  d.cursor_day is null or (d.cursor_day >= %(first)s and d.cursor_day < %(end)s::timestamptz)
                  or {loaded}
              )
            """
        ).format(loaded=_loaded_since(table, "d")),
        names | {"first": window.start.date(), "end": window.end},
    )
    connection.execute(
        sql.SQL(
            """
            insert into ops.drift (system, stream, _key, kind, cursor_day, since, reconciliation_id)
            select %(system)s, %(stream)s, _key, kind, cursor_day, since, %(id)s from difference
            on conflict (system, stream, _key) do update
            set kind = excluded.kind, cursor_day = excluded.cursor_day, last_seen = now(),
                reconciliation_id = excluded.reconciliation_id,
                since = case when {loaded} then excluded.since else least(drift.since, excluded.since) end
            """
        ).format(loaded=_loaded_since(table, "drift")),
        names,
    )


def _loaded_since(table: StagingTable, drift: str) -> sql.Composable:
    """Whether a load has read the record after its difference was last seen; a difference that is seen now is new."""
    return sql.SQL(
        "exists (select from {staging} v where v._key = {drift}._key and v._extracted_at > {drift}.last_seen)"
    ).format(staging=table.versions, drift=sql.Identifier(drift))


def drift_of(connection: psycopg.Connection, system: str, stream: str) -> Drift:
    """How much of a stream differs now."""
    missing, changed, deleted, oldest = one_row(
        connection.execute(
            "select count(*) filter (where kind = 'missing'), count(*) filter (where kind = 'changed'),"
            " count(*) filter (where kind = 'deleted'), min(since) from ops.drift where system = %s and stream = %s",
            (system, stream),
        )
    )
    return Drift(missing, changed, deleted, oldest)


def windows_to_repair(connection: psycopg.Connection, system: str, stream: str, now: datetime) -> list[Window]:
    """The windows that contain all differing records; consecutive days make one window.

    One window over the whole past where the stream's cursor is not a time.
    """
    days = [
        day
        for (day,) in connection.execute(
            "select distinct cursor_day from ops.drift where system = %s and stream = %s order by 1 nulls first",
            (system, stream),
        ).fetchall()
    ]
    if None in days:
        return [Window(BEGINNING, now)]
    return days_to_windows(days, now)


def days_to_windows(days: Sequence[date], now: datetime, limit: int = MAX_REPAIR_WINDOWS) -> list[Window]:
    """Windows over these days (ascending): one for each run of consecutive days, and `limit` at most."""
    if not days:
        return []
    gaps = sorted((later - earlier, later) for earlier, later in itertools.pairwise(days))
    starts = [later for gap, later in gaps if gap > DAY][-(limit - 1) :]
    firsts = sorted([days[0], *starts])
    lasts = [max(day for day in days if day < first) for first in firsts[1:]] + [days[-1]]
    return [
        Window(start, min(_midnight(last) + DAY, now))
        for first, last in zip(firsts, lasts, strict=True)
        if (start := _midnight(first)) < now
    ]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
