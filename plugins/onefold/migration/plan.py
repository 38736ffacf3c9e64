"""What a migration is asked for, whether that can be, and what it would cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NotRequired, TypedDict

import psycopg

from onefold.catalog.system import System
from onefold.connectors.window import BEGINNING, Window
from onefold.http.limit import kept, rate, seconds_of
from onefold.load.extraction import CountSource, source_count
from onefold.load.usage import Usage
from onefold.migration.request import MigrationRequest, NotPossible, possible_system
from onefold.warehouse.rows import one_row

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one stream will take, and who says so; None where nothing tells. Of a look-up its feed tells (feed.py).

    `records`: what the source counts in the window. Where it cannot: as many as a load has read that covers the window,
    and so no more than that; where none does, what loads of bounded windows have read per second of them, times the
    window. `requests` and `seconds` follow from what loads so far have taken for a record.
    """

    records: int | None
    requests: int | None
    seconds: float | None
    by: str = "loads so far"


@dataclass(frozen=True, slots=True)
class Plan:
    """`chunks` are per stream, `estimates` by stream; `quota` is the system's daily one and what is asked of it.

    `asked` is how many requests planning took. They are no load's, so they are kept with the plan, not in ops.usage.
    """

    chunks: int
    estimates: Mapping[str, Estimate]
    quota: str | None
    days_of_quota: float | None
    asked: int = 0

    def lines(self, system: str) -> list[str]:
        """The plan in words, a line each."""
        told = [f"{self.chunks:,} chunks a stream"]
        for stream, each in self.estimates.items():
            about = (
                "of unknown size: no load tells"
                if each.records is None
                else f"about {each.records:,} records (by {each.by})"
            )
            asked = "" if each.requests is None else f", {each.requests:,} requests"
            took = "" if each.seconds is None else f", {each.seconds:,.0f} s"
            told.append(f"{system}.{stream}: {about}{asked}{took}")
        if self.days_of_quota is not None:
            told.append(f"{self.days_of_quota:.0%} of the quota of a day ({self.quota})")
        return told

    def as_json(self) -> dict[str, object]:
        """The plan as plain JSON containers."""
        return asdict(self) | {"estimates": {name: asdict(each) for name, each in self.estimates.items()}}


class EstimateJson(TypedDict):
    """An Estimate, as stored; `by` is missing in old plans."""

    records: int | None
    requests: int | None
    seconds: float | None
    by: NotRequired[str]


class PlanJson(TypedDict):
    """A Plan, as stored in ops.migration."""

    chunks: int
    estimates: Mapping[str, EstimateJson]
    quota: str | None
    days_of_quota: float | None
    asked: NotRequired[int]


FeedEstimator = Callable[[str, Usage], Estimate | None]
"""What a look-up's feed says of a stream (migration/feed_estimate.py); None where it has none. What it
asks is counted in the Usage."""


def make_plan(
    connection: psycopg.Connection,
    systems: Mapping[str, System],
    request: MigrationRequest,
    counts: CountSource | None = None,
    from_feed: FeedEstimator | None = None,
) -> Plan:
    """Whether it can be, and what it takes. Raises NotPossible, with what to do, before anything is touched.

    With `counts` the source is asked how much it has, where it can count; else what loads so far have read must do.
    With `from_feed` a look-up's feed is asked.
    """
    system = possible_system(systems, request)
    estimates, usage = {}, Usage()
    for stream in request.streams:
        if system.streams[stream].lookup:  # a load's window says nothing of how much it asks: nightly runs ask all
            estimates[stream] = (from_feed and from_feed(stream, usage)) or Estimate(None, None, None)
        else:
            past = _past(connection, request, stream)
            by_count = _by_count(past, request, system, stream, counts, usage) if counts else None
            estimates[stream] = by_count or _estimate(past)
    requests = [each.requests for each in estimates.values()]
    daily = _daily(kept(system.limits.rate, request.rate))
    days = sum(filter(None, requests)) / daily if daily else None
    if days is not None and days > 1:
        raise NotPossible(
            "streams",
            f"About {sum(filter(None, requests)):,} requests would be asked of {request.system}, which allows "
            f"{daily:,} a day: {math.ceil(days)} days of its quota, and the nightly syncs would get none. Migrate "
            "fewer streams or a shorter window at a time. Nothing was changed.",
        )
    return Plan(request.number_of_chunks, estimates, f"{daily:,}/day" if daily else None, days, usage.requests)


@dataclass(frozen=True, slots=True)
class _Past:
    """What loads so far tell of a window: its records, and how many requests and seconds a record has taken."""

    records: int | None
    requests: float | None
    seconds: float | None


def _estimate(past: _Past) -> Estimate:
    """By loads so far alone."""
    if past.records is None:
        return Estimate(None, None, None)
    return Estimate(
        past.records,
        None if past.requests is None else math.ceil(past.records * past.requests),
        None if past.seconds is None else round(past.records * past.seconds, 1),
    )


def _by_count(
    past: _Past, request: MigrationRequest, system: System, stream: str, counts: CountSource, usage: Usage
) -> Estimate | None:
    """By the source's own count; None where it cannot count. Each chunk's two counts are requests too.

    Of a stream that was never loaded, the size of its pages tells the requests, and the system's rate their time.
    """
    counted = source_count(counts, stream, Window(request.start, request.end), usage)
    if counted is None:
        return None
    records, chunks, size = counted[1], request.number_of_chunks, system.streams[stream].next.size
    requests = seconds = None
    if past.requests is not None:
        requests = math.ceil(records * past.requests) + 2 * chunks
    elif size:
        requests = max(chunks, math.ceil(records / size)) + 2 * chunks
    if past.seconds is not None:
        seconds = round(records * past.seconds, 1)
    elif requests is not None:
        seconds = seconds_of(requests, kept(system.limits.rate, request.rate))
    return Estimate(records, requests, seconds, by="the source's own count")


def _past(connection: psycopg.Connection, request: MigrationRequest, stream: str) -> _Past:
    loads = connection.execute(
        """
        select (sum(rows_read) filter (where bounded)
                   / sum(extract(epoch from window_end - window_start)) filter (where bounded))::float8,
               max(rows_read) filter (where window_start <= %(start)s and window_end >= %(end)s),
               sum(requests)::float8 / nullif(sum(rows_read), 0),
               sum(seconds_extracting + seconds_gating + seconds_publishing) / nullif(sum(rows_read), 0)
        from ops.load
        cross join lateral (select window_start > %(beginning)s as bounded) as span
        cross join lateral (
            select sum(requests) as requests from ops.usage where ops.usage.load_id = load.load_id
        ) as asked
        where system = %(system)s and stream = %(stream)s and state = 'published' and rows_read > 0
        """,
        {
            "system": request.system,
            "stream": stream,
            "start": request.start,
            "end": request.end,
            "beginning": BEGINNING,
        },
    )
    per_second, most, requests, seconds = one_row(loads)
    expected = None if per_second is None else math.ceil(per_second * (request.end - request.start).total_seconds())
    return _Past(expected if most is None else most, requests, seconds)


def _daily(rates: Sequence[str]) -> int | None:
    """The smallest number of requests that a rate of a day or an hour leaves in a day."""
    limits = map(rate, rates)
    return min((limit.count * _DAY // limit.seconds for limit in limits if limit.seconds >= 3600), default=None)
