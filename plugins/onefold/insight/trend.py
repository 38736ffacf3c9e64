"""What each stream has brought, day by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import psycopg
from psycopg.rows import class_row

DAYS = 7


@dataclass(frozen=True, slots=True)
class Day:
    """One day (UTC) of a stream: the loads that were begun, how many of them were published, and the records of these
    that became versions."""

    system: str
    stream: str
    day: date
    loads: int
    published: int
    records: int


def days_of_streams(
    connection: psycopg.Connection, now: datetime, *, system: str | None = None
) -> Mapping[tuple[str, str], Sequence[Day]]:
    """By system and stream: the last seven days with today, the oldest first, a day without loads too."""
    today = now.astimezone(UTC).date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    with connection.cursor(row_factory=class_row(Day)) as cursor:
        found = cursor.execute(
            "select system, stream, (started_at at time zone 'UTC')::date as day, count(*) as loads,"
            " count(*) filter (where state = 'published') as published,"
            " coalesce(sum(rows_new + rows_changed + rows_deleted) filter (where state = 'published'), 0)::bigint"
            " as records from ops.load where started_at >= %(since)s"
            " and (%(system)s::text is null or system = %(system)s) group by 1, 2, 3",
            {"since": datetime.combine(days[0], datetime.min.time(), UTC), "system": system},
        ).fetchall()
    known = {(each.system, each.stream, each.day): each for each in found}
    return {
        (of, stream): [known.get((of, stream, day)) or Day(of, stream, day, 0, 0, 0) for day in days]
        for of, stream in {(each.system, each.stream) for each in found}
    }
