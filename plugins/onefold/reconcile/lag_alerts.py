"""The alerts of a stream that is read from a log or a queue: it is too far behind (kind lag), or its source keeps too
much of its log for it (kind retained_log), whose disk would be full one day. They block nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import get_args

import psycopg

from onefold.catalog.system import System
from onefold.errors import OnefoldError
from onefold.load.stream_lag import LagAlert, stream_lags
from onefold.notify import alert
from onefold.notify.receiver import Receiver
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors

log = logging.getLogger(__name__)


def check_lag(connection: psycopg.Connection, actor: str, system: System, name: str) -> bool:
    """Open or resolve the stream's alerts by the last look at its source; returns whether any was opened or
    resolved."""
    subject = f"{system.system}.{name}"
    lag = stream_lags(connection, {system.system: system}).get((system.system, name))
    over = lag.over_limits(system.limits) if lag else {}
    news = False
    for kind in get_args(LagAlert):
        if lag and kind in over:
            message = f"As of {lag.at:%Y-%m-%d %H:%M} UTC {over[kind]} (docs/events.md)."
            news |= alert.open_alert(connection, actor, kind, subject, message)
        else:
            news |= alert.resolve_alert(connection, actor, kind, subject)
    return news


def check_lag_after_load(
    warehouse_url: str, actor: str, system: System, name: str, receivers: Iterable[Receiver]
) -> None:
    """check_lag after a load, however that ended, and deliver what is new. It never fails: the next check makes up for
    it."""
    try:
        with translate_errors(f"{system.system}.{name}"), connect(warehouse_url, autocommit=True) as connection:
            if check_lag(connection, actor, system, name):
                alert.deliver_notifications(connection, receivers)
    except OnefoldError as error:
        log.warning("%s.%s: whether it is too far behind could not be checked: %s", system.system, name, error)
