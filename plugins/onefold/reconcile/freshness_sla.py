"""The freshness SLA of a stream, `freshness` in its YAML, and the alerts when it is missed.

It is the limit of two things: how old the published data is (alerts of kind freshness), and how long a record differs
from the source (kind drift). Shorter differences are normal latency.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import psycopg

from onefold.catalog.stream import Stream
from onefold.notify import alert
from onefold.reconcile.drift import drift_of

_LOADED_TO = """
    select asked.system, asked.stream, coalesce(cursor.window_end, (
        select min(started_at) from ops.load where load.system = asked.system and load.stream = asked.stream))
    from unnest(%s::text[], %s::text[]) with ordinality as asked (system, stream, position)
    left join ops.cursor on cursor.system = asked.system and cursor.stream = asked.stream
    order by asked.position
    """


def check_drift(connection: psycopg.Connection, actor: str, system: str, name: str, stream: Stream) -> bool:
    """Open or resolve the stream's drift alert; returns whether the SLA is met."""
    drift = drift_of(connection, system, name)
    subject = f"{system}.{name}"
    if drift.oldest is None or datetime.now(UTC) - drift.oldest <= stream.freshness:
        alert.resolve_alert(connection, actor, "drift", subject)
        return True
    alert.open_alert(
        *(connection, actor, "drift", subject),
        f"{drift.records:,} records differ from the source ({drift.missing:,} missing, {drift.changed:,} changed, "
        f"{drift.deleted:,} deleted there), the oldest since {drift.oldest:%F %H:%M} UTC; the freshness SLA is "
        f"{_hours(stream.freshness)}. Repair it with: bin/onefold reconcile {subject} --repair",
    )
    return False


def loaded_to(connection: psycopg.Connection, streams: Collection[tuple[str, str]]) -> dict[tuple[str, str], datetime]:
    """As of when the data of streams is: the end of the last window that was published; before the first one, the first
    attempt. Streams that nobody has tried to load are left out."""
    rows = connection.execute(_LOADED_TO, ([system for system, _ in streams], [stream for _, stream in streams]))
    return {(system, stream): at for system, stream, at in rows if at is not None}


def check_freshness(connection: psycopg.Connection, actor: str, system: str, name: str, stream: Stream) -> bool:
    """Open or resolve the stream's freshness alert; returns whether the SLA is met.

    A stream that nobody has tried to load meets its SLA.
    """
    data_as_of = loaded_to(connection, [(system, name)]).get((system, name))
    subject = f"{system}.{name}"
    if data_as_of is None or datetime.now(UTC) - data_as_of <= stream.freshness:
        alert.resolve_alert(connection, actor, "freshness", subject)
        return True
    alert.open_alert(
        *(connection, actor, "freshness", subject),
        f"The data is as of {data_as_of:%F %H:%M} UTC; the freshness SLA is {_hours(stream.freshness)}. "
        f"See why sync__{system} does not publish: bin/onefold status",
    )
    return False


def _hours(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:g} hours" if hours < 72 else f"{hours / 24:g} days"
