"""What the ledger says of streams on single days, and the sums of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import class_row

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of a stream on a day, or sums. `drift`: records that differed at the last comparison, None without one;
    `days_loaded`: on how many days a load began."""

    loads: int = 0
    rejected: int = 0
    read: int = 0
    written: int = 0
    quarantined: int = 0
    withheld: int = 0
    drift: int | None = None
    cost: Decimal = Decimal(0)
    days_loaded: int = 0

    @property
    def quarantined_share(self) -> float:
        """Of the rows that were read, from 0 to 1."""
        return self.quarantined / self.read if self.read else 0.0


@dataclass(frozen=True, slots=True)
class _Row(Figures):
    """The figures of one stream (system.stream) on one day."""

    stream: str = ""
    day: date = date.min


Days = Mapping[tuple[str, date], Figures]
"""By stream (system.stream) and day; a day on which nothing happened is not there."""

_DAYS = """
with loaded as (
select l.system || '.' || l.stream as stream, (l.started_at at time zone %(zone)s)::date as day, count(*)::int as loads,
    count(*) filter (where l.state = 'rejected')::int as rejected, sum(l.rows_read)::bigint as read,
    sum(l.rows_new + l.rows_changed + l.rows_deleted)::bigint as written,
    sum(l.rows_quarantined)::bigint as quarantined, sum(l.values_withheld)::bigint as withheld
from ops.load as l where l.state <> 'dry_run' and l.started_at >= %(since)s::timestamp at time zone %(zone)s
    and l.started_at < %(until)s::timestamp at time zone %(zone)s group by 1, 2
), compared as (
select distinct on (1, 2) r.system || '.' || r.stream as stream, (r.started_at at time zone %(zone)s)::date as day,
    r.missing + r.changed + r.deleted as drift
from ops.reconciliation as r where r.state = 'compared' and r.started_at >= %(since)s::timestamp at time zone %(zone)s
    and r.started_at < %(until)s::timestamp at time zone %(zone)s order by 1, 2, r.reconciliation_id desc
), costs as (
select system || '.' || stream as stream, day, coalesce(sum(amount), 0) as cost from ops.cost_day
where stream is not null and day >= %(since)s and day < %(until)s and until = day group by 1, 2
)
select stream, day, coalesce(loads, 0) as loads, coalesce(rejected, 0) as rejected, coalesce(read, 0) as read,
    coalesce(written, 0) as written, coalesce(quarantined, 0) as quarantined, coalesce(withheld, 0) as withheld, drift,
    coalesce(cost, 0) as cost, (coalesce(loads, 0) > 0)::int as days_loaded
from loaded full join compared using (stream, day)
full join costs using (stream, day)
"""


def read_days(connection: psycopg.Connection, since: date, until: date, zone: ZoneInfo) -> Days:
    """All streams' figures of the days from `since` to before `until`, which are days in the time zone."""
    with connection.cursor(row_factory=class_row(_Row)) as cursor:
        rows = cursor.execute(_DAYS, {"since": since, "until": until, "zone": zone.key}).fetchall()
    return {(row.stream, row.day): row for row in rows}


def total(days: Days, streams: Sequence[str], first: date, last: date) -> Figures:
    """The sums of the streams over the days from the first to the last, both included."""
    span = [first + DAY * each for each in range((last - first).days + 1)]
    found = {(name, day): days[name, day] for name in streams for day in span if (name, day) in days}
    drifts = {name: each.drift for (name, _), each in sorted(found.items()) if each.drift is not None}
    every = found.values()
    return Figures(
        loads=sum(each.loads for each in every),
        rejected=sum(each.rejected for each in every),
        read=sum(each.read for each in every),
        written=sum(each.written for each in every),
        quarantined=sum(each.quarantined for each in every),
        withheld=sum(each.withheld for each in every),
        drift=sum(drifts.values()) if drifts else None,
        cost=sum((each.cost for each in every), Decimal(0)),
        days_loaded=len({day for (_, day), each in found.items() if each.loads}),
    )
