"""Where to look: counts of source and staging by window, halved where they differ until only single days are left.

Equal counts are taken for equal content. A changed record moves its cursor and with it from one window to another, so
it shows unless another moves the other way within the same windows; the key sweep alone sees everything.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

import psycopg
from psycopg import sql

from onefold.catalog.stream import Stream
from onefold.connectors.counting import Counter
from onefold.connectors.window import Window
from onefold.warehouse.tables import StagingTable

DAY = timedelta(days=1)
MOST = 400
"""Windows that are asked about in one comparison; what is then still in doubt is read."""


def held_by_day(connection: psycopg.Connection, table: StagingTable, stream: Stream) -> dict[date, int]:
    """How many records the source should count, by the UTC day of their cursor: what staging holds and what waits in
    quarantine, each key once, by its newest version. Deleted ones count where the source only flags them."""
    return dict(
        connection.execute(
            sql.SQL(
                """
                select left(_cursor, 10)::date, count(*) from (
                    select distinct on (_key) _cursor, _deleted from (
                        select _key, _cursor, _deleted from {current}
                        union all
                        select _key, _cursor, false from ops.quarantine
                        where system = {system} and stream = {stream} and state = 'open' and _key is not null
                    ) version
                    order by _key, _cursor desc nulls last
                ) newest
                where _cursor is not null and (not _deleted or {flagged})
                group by 1
                """
            ).format(
                current=table.current,
                system=sql.Literal(table.system),
                stream=sql.Literal(table.stream),
                flagged=sql.Literal(stream.deletes.flag is not None),
            )
        ).fetchall()
    )


def narrowed(whole: Window, held: Mapping[date, int], counter: Counter, most: int = MOST) -> tuple[list[Window], int]:
    """The windows in which the source counts another number than is held, neighbours joined, and how many were asked.

    `whole` begins at midnight UTC.
    """
    days = sorted(held)
    sums = [0, *itertools.accumulate(held[day] for day in days)]

    def of(window: Window) -> int:
        return sums[bisect_left(days, _day_after(window.end))] - sums[bisect_left(days, window.start.date())]

    differing: list[Window] = []
    asking, asked = _parts(whole, days, counter.at_once), 0
    while asking:
        counts = counter.count(asking)
        asked += len(asking)
        wrong = [window for window, count in zip(asking, counts, strict=True) if count != of(window)]
        single = [window for window in wrong if window.end - window.start <= DAY]
        longer = [window for window in wrong if window.end - window.start > DAY]
        differing += single
        pieces = max(2, counter.at_once // len(longer)) if longer else 0
        asking = [part for window in longer for part in _parts(window, days, pieces)]
        if asked + len(asking) > most:
            return _neighbours_joined([*differing, *longer]), asked
    return _neighbours_joined(differing), asked


def _parts(window: Window, days: Sequence[date], pieces: int) -> list[Window]:
    """The window cut at midnights into so many pieces at most, with about as many days that hold anything in each."""
    first, after = window.start.date(), _day_after(window.end)
    inside = [day for day in days if first < day < after]
    if len(inside) < pieces - 1:  # few days hold anything: these, and even pieces of the time
        length = (after - first).days
        even = {first + DAY * (length * number // pieces) for number in range(1, pieces)}
        inside = sorted({*inside, *even} - {first})
    step = max(1, -(-len(inside) // (pieces - 1)))
    cuts = [datetime.combine(day, time(), UTC) for day in inside[::step]]
    ends = [window.start, *cuts, window.end]
    return [Window(start, end) for start, end in itertools.pairwise(ends) if start < end]


def _day_after(end: datetime) -> date:
    """The first day of which nothing lies before `end`."""
    return (end - timedelta(microseconds=1)).date() + DAY


def _neighbours_joined(windows: Sequence[Window]) -> list[Window]:
    joined: list[Window] = []
    for window in sorted(windows, key=lambda each: each.start):
        if joined and joined[-1].end >= window.start:
            joined[-1] = Window(joined[-1].start, max(joined[-1].end, window.end))
        else:
            joined.append(window)
    return joined
