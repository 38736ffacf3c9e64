"""What is promised of a stream, and who is told when it is broken.

Two promises have the same measure, the stream's `freshness` in its YAML: the data that is published is no older than
that (kind freshness), and no difference to the source lasts longer (kind drift). Younger ones are normal latency.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg

from onefold.catalog.stream import Stream
from onefold.notify import alert
from onefold.reconcile.drift import drift_of


def judge_drift(connection: psycopg.Connection, actor: str, system: str, name: str, stream: Stream) -> bool:
    """Open or heal the stream's drift alert; returns whether the promise is kept."""
    drift = drift_of(connection, system, name)
    subject = f"{system}.{name}"
    if drift.oldest is None or datetime.now(UTC) - drift.oldest <= stream.freshness:
        alert.healed(connection, actor, "drift", subject)
        return True
    alert.wrong(
        *(connection, actor, "drift", subject),
        f"{drift.records:,} records differ from the source ({drift.missing:,} missing, {drift.changed:,} changed, "
        f"{drift.gone:,} gone there), the oldest since {drift.oldest:%F %H:%M} UTC; promised: "
        f"{_hours(stream.freshness)}. Mend it with: bin/onefold reconcile {subject} --repair",
    )
    return False


def judge_freshness(connection: psycopg.Connection, actor: str, system: str, name: str, stream: Stream) -> bool:
    """Open or heal the stream's freshness alert; returns whether the promise is kept.

    The data is as old as the end of the last window that was published; before the first one, as the first attempt. A
    stream that nobody has tried to load has promised nothing yet.
    """
    reached = connection.execute(
        "select coalesce((select window_end from ops.cursor where system = %(system)s and stream = %(stream)s),"
        " (select min(started_at) from ops.load where system = %(system)s and stream = %(stream)s))",
        {"system": system, "stream": name},
    ).fetchone()[0]
    subject = f"{system}.{name}"
    if reached is None or datetime.now(UTC) - reached <= stream.freshness:
        alert.healed(connection, actor, "freshness", subject)
        return True
    alert.wrong(
        *(connection, actor, "freshness", subject),
        f"The data is as of {reached:%F %H:%M} UTC; promised: no older than {_hours(stream.freshness)}. "
        f"See why sync__{system} does not publish: bin/onefold status",
    )
    return False


def _hours(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:g} hours" if hours < 72 else f"{hours / 24:g} days"
