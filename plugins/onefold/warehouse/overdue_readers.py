"""Ends readers' sessions that hold up the engine, whatever time-outs they have set for themselves."""

from __future__ import annotations

import logging

import psycopg

log = logging.getLogger(__name__)

IDLE_SECONDS = 360
OPEN_SECONDS = 2100
"""A little more than the time-outs that an analyst's sessions begin with (access.py)."""
WAITED_SECONDS = 60
"""How long another session may wait for what a reader holds."""


def end_overdue_readers(connection: psycopg.Connection) -> None:
    """End them, with a line in the log for each.

    The watchdog calls this once a minute; so does every load and every conform when it begins, so that one which waits
    for a reader is freed by the next, and an upgrade of the schema before it changes anything.
    """
    ended = connection.execute(
        "select reader, reason from ops.end_overdue_readers(make_interval(secs => %s), make_interval(secs => %s),"
        " make_interval(secs => %s))",
        (IDLE_SECONDS, OPEN_SECONDS, WAITED_SECONDS),
    )
    for reader, reason in ended:
        log.warning("A session of %s was ended: %s.", reader, reason)
