"""Streams: how each stands now. Three queries for all of them, whose cost does not grow with their history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.catalog.system import System
from onefold.insight.loads import COLUMNS, LoadSummary
from onefold.load.stream_lag import LagAlert, StreamLag, stream_lags


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """One stream of the catalogue.

    `current_as_of`: the source is published up to this instant; None before the first publish. `last_load`: the newest
    load, however it ended; None before the first. `open_quarantine`: rows that wait in quarantine. `withheld`: values
    of published records that are withheld. `drifted`: records that differ from the source since `drifted_since`.
    `requests`, `quota_used` and `quota_limit` are of the last load. `lag`: how far a stream that is read from a log is
    behind; `over_limits`: which of its system's limits that is over, by the kind of alert, in words.
    """

    system: str
    stream: str
    freshness_sla: timedelta
    current_as_of: datetime | None
    published_at: datetime | None
    last_load: LoadSummary | None
    open_quarantine: int
    withheld: int
    drifted: int
    drifted_since: datetime | None
    requests: int
    quota_used: int | None
    quota_limit: int | None
    lag: StreamLag | None = None
    over_limits: Mapping[LagAlert, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.system}.{self.stream}"

    def age(self, now: datetime) -> timedelta | None:
        """How old the published data is; None when nothing is published."""
        return None if self.current_as_of is None else now - self.current_as_of

    def is_stale(self, now: datetime) -> bool:
        """Whether the data is older than the stream's freshness SLA allows. A stream that was never published is not:
        nothing is claimed of it yet."""
        age = self.age(now)
        return age is not None and age > self.freshness_sla


@dataclass(frozen=True, slots=True)
class _State:
    """What a status has beside the last load."""

    current_as_of: datetime | None
    published_at: datetime | None
    open_quarantine: int
    withheld: int
    drifted: int
    drifted_since: datetime | None
    requests: int
    quota_used: int | None
    quota_limit: int | None


_LAST_LOADS = sql.SQL(
    """
    select asked.system, asked.stream, load.*
    from unnest(%s::text[], %s::text[]) as asked (system, stream)
    cross join lateral (
        select {} from ops.load l where l.system = asked.system and l.stream = asked.stream
        order by load_id desc limit 1
    ) load
    """
).format(COLUMNS)
_STATES = """
    select cursor.window_end as current_as_of, cursor.moved_at as published_at, quarantine.rows as open_quarantine,
           quarantine.withheld, drift.rows as drifted, drift.since as drifted_since,
           usage.requests, usage.quota_used, usage.quota_limit
    from unnest(%s::text[], %s::text[], %s::bigint[]) with ordinality as asked (system, stream, load_id, position)
    left join ops.cursor cursor on cursor.system = asked.system and cursor.stream = asked.stream
    cross join lateral (
        select count(*) filter (where attribute is null) as rows, count(attribute) as withheld from ops.quarantine q
        where q.system = asked.system and q.stream = asked.stream and q.state = 'open'
    ) quarantine
    cross join lateral (
        select count(*) as rows, min(since) as since from ops.drift d
        where d.system = asked.system and d.stream = asked.stream
    ) drift
    cross join lateral (
        select coalesce(sum(requests), 0)::bigint as requests, max(quota_used) as quota_used,
               max(quota_limit) as quota_limit
        from ops.usage u where u.load_id = asked.load_id
    ) usage
    order by asked.position
    """


def stream_statuses(
    connection: psycopg.Connection, systems: Mapping[str, System], only: Iterable[str] | None = None
) -> list[StreamStatus]:
    """Every stream of the catalogue, or `only` these (system.stream), by system and stream; also those never loaded."""
    chosen = None if only is None else set(only)
    streams = [
        (name, stream, definition.freshness)
        for name, system in sorted(systems.items())
        for stream, definition in sorted(system.streams.items())
        if chosen is None or f"{name}.{stream}" in chosen
    ]
    names = ([system for system, _, _ in streams], [stream for _, stream, _ in streams])
    with connection.cursor(row_factory=class_row(LoadSummary)) as cursor:
        loads = {(load.system, load.stream): load for load in cursor.execute(_LAST_LOADS, names)}
    numbers = [load.load_id if (load := loads.get((name, stream))) else None for name, stream, _ in streams]
    with connection.cursor(row_factory=class_row(_State)) as cursor:
        states = cursor.execute(_STATES, (*names, numbers)).fetchall()
    lags = stream_lags(connection, systems)
    return [
        StreamStatus(
            system=name,
            stream=stream,
            freshness_sla=sla,
            last_load=loads.get((name, stream)),
            current_as_of=state.current_as_of,
            published_at=state.published_at,
            open_quarantine=state.open_quarantine,
            withheld=state.withheld,
            drifted=state.drifted,
            drifted_since=state.drifted_since,
            requests=state.requests,
            quota_used=state.quota_used,
            quota_limit=state.quota_limit,
            lag=(lag := lags.get((name, stream))),
            over_limits=lag.over_limits(systems[name].limits) if lag else {},
        )
        for (name, stream, sla), state in zip(streams, states, strict=True)
    ]
