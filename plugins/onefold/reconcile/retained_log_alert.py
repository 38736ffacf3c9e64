"""The alert when a source keeps too much of its log for a stream: its disk would be full one day. It blocks nothing."""

from __future__ import annotations

import psycopg

from onefold.catalog.system import System
from onefold.load.stream_lag import stream_lags
from onefold.notify import alert


def check_retained_log(connection: psycopg.Connection, actor: str, system: System, name: str) -> bool:
    """Open or resolve the stream's alert of kind retained_log; returns whether none is open afterwards."""
    subject, limit = f"{system.system}.{name}", system.limits.retained_log_mib
    lag = stream_lags(connection, {system.system: system}).get((system.system, name))
    if lag is None or not lag.keeps_more_than(limit):
        alert.resolve_alert(connection, actor, "retained_log", subject)
        return True
    message = f"As of {lag.at:%Y-%m-%d %H:%M} UTC {lag.too_much(limit)} (docs/events.md)."
    alert.open_alert(connection, actor, "retained_log", subject, message)
    return False
