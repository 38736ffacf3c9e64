"""The freshness SLA of a stream, `freshness` in its YAML, and the alerts when it is missed.

It is the limit of two things: how old the published data is (alerts of kind freshness), and how long a record differs
from the source (kind drift). Shorter differences are normal latency.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg

from onefold.catalog.stream import Stream
from onefold.notify import alert
from onefold.reconcile.drift import drift_of
from onefold.warehouse.rows import one_row


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


def check_freshness(connection: psycopg.Connection, actor: str, system: str, name: str, stream: Stream) -> bool:
    """Open or resolve the stream's freshness alert; returns whether the SLA is met.

    The data is as old as the end of the last window that was published; before the first one, as old as the first
    attempt. A stream that nobody has tried to load meets its SLA.
    """
    row = connection.execute(
        "select coalesce((select window_end from ops.cursor where system = %(system)s and stream = %(stream)s),"
        " (select min(started_at) from ops.load where system = %(system)s and stream = %(stream)s))",
        {"system": system, "stream": name},
    )
    loaded_to = one_row(row)[0]
    subject = f"{system}.{name}"
    if loaded_to is None or datetime.now(UTC) - loaded_to <= stream.freshness:
        alert.resolve_alert(connection, actor, "freshness", subject)
        return True
    alert.open_alert(
        *(connection, actor, "freshness", subject),
        f"The data is as of {loaded_to:%F %H:%M} UTC; the freshness SLA is {_hours(stream.freshness)}. "
        f"See why sync__{system} does not publish: bin/onefold status",
    )
    return False


def _hours(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:g} hours" if hours < 72 else f"{hours / 24:g} days"
