"""Nobody approves what they started themselves; who started something is read from the audit chain."""

from __future__ import annotations

import psycopg

from onefold.audit.actor import actor
from onefold.audit.approval import triggering_user
from onefold.errors import Fatal


def require_second_person(connection: psycopg.Connection, action: str, subject: str, user: str | None) -> None:
    """Raises Fatal unless `user` is known, and is not the one who did `action` to `subject` ("migration:5")."""
    starter = started_by(connection, action, subject)
    if user is None or starter is None or actor(user) == actor(starter):  # both as an event writes them
        kind, _, number = subject.partition(":")
        raise Fatal(
            f"{kind.capitalize()} {number} was started by {starter or 'an unknown person'} and approved by "
            f"{user or 'an unknown person'}: it must be approved by somebody else than who started it. Nothing was "
            "changed. Clear this task and let another person approve."
        )


def started_by(connection: psycopg.Connection, action: str, subject: str) -> str | None:
    """The user who triggered the run that did `action` to `subject`; None when no user did."""
    found = connection.execute(
        "select actor from audit.event where action = %s and subject = %s order by seq limit 1", (action, subject)
    ).fetchone()
    return triggering_user(found[0]) if found else None
