"""Compares the counts of source and staging by window, and splits windows that differ down to single days.

Equal counts are taken for equal content. A changed record moves its cursor, and so from one window to another: it is
found unless another record moves the other way between the same windows. Only the comparison by keys finds everything.
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
MAX_COUNTS = 400
"""The most windows that the source counts in one comparison; what still differs then is read."""


def staged_by_day(connection: psycopg.Connection, table: StagingTable, stream: Stream) -> dict[date, int]:
    """How many records the source should count, by the UTC day of their cursor.

    They are those in staging and the open ones in quarantine, each key once, by its newest version. Deleted ones count
    where the source only flags them.
    """
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
                          and attribute is null
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


def differing_windows(
    whole: Window, staged: Mapping[date, int], counter: Counter, limit: int = MAX_COUNTS
) -> tuple[list[Window], int]:
    """The windows in which the source counts another number than staging, neighbours joined; and how many it counted.

    `whole` begins at midnight UTC.
    """
    days = sorted(staged)
    sums = [0, *itertools.accumulate(staged[day] for day in days)]

    def staged_in(window: Window) -> int:
        return sums[bisect_left(days, _day_after(window.end))] - sums[bisect_left(days, window.start.date())]

    differing: list[Window] = []
    to_count, counted = _split(whole, days, counter.at_once), 0
    while to_count:
        counts = counter.count(to_count)
        counted += len(to_count)
        unequal = [window for window, count in zip(to_count, counts, strict=True) if count != staged_in(window)]
        single = [window for window in unequal if window.end - window.start <= DAY]
        longer = [window for window in unequal if window.end - window.start > DAY]
        differing += single
        pieces = max(2, counter.at_once // len(longer)) if longer else 0
        to_count = [piece for window in longer for piece in _split(window, days, pieces)]
        if counted + len(to_count) > limit:
            return _join_neighbours([*differing, *longer]), counted
    return _join_neighbours(differing), counted


def _split(window: Window, days: Sequence[date], pieces: int) -> list[Window]:
    """The window cut at midnights into `pieces` at most, each with about as many days that have records."""
    first, after = window.start.date(), _day_after(window.end)
    inside = [day for day in days if first < day < after]
    if len(inside) < pieces - 1:  # few days have records: cut at these, and evenly in between
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


def _join_neighbours(windows: Sequence[Window]) -> list[Window]:
    joined: list[Window] = []
    for window in sorted(windows, key=lambda each: each.start):
        if joined and joined[-1].end >= window.start:
            joined[-1] = Window(joined[-1].start, max(joined[-1].end, window.end))
        else:
            joined.append(window)
    return joined
