"""Who started something, as the audit chain says, for what nobody may approve alone."""

from __future__ import annotations

import re

import psycopg


def started_by(connection: psycopg.Connection, action: str, subject: str) -> str | None:
    """The user who triggered the run that did `action` to `subject`; None when no user did."""
    found = connection.execute(
        "select actor from audit.event where action = %s and subject = %s order by seq limit 1", (action, subject)
    ).fetchone()
    return person(found[0]) if found else None


def person(actor: str) -> str | None:
    """The user who triggered the run that an event names as its actor (see actor.py); None for any other actor."""
    user = re.match(r"airflow:by:([^/]+)/", actor)
    return user[1] if user else None
