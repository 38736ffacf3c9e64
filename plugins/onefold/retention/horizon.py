"""Up to which load a stream's past may go: never what a rollback, an undo, or the next conform still reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg

from onefold.conform.publish_ledger import pending_loads

_PROTECTED = """
select system, stream,
       least(
           min(load_id) filter (
               where state in ('published', 'rolled_back') and rollback_until > %(now)s - interval '1 day'),
           min(load_id) filter (where load_id = any (%(pending)s)),
           max(load_id) filter (where state in ('published', 'rolled_back')) + 1) as protected,
       least(
           min(load_id) filter (
               where state in ('published', 'rolled_back')
                 and rollback_until + (rollback_until - ended_at) > %(now)s - interval '1 day'),
           min(load_id) filter (where load_id = any (%(pending)s)),
           max(load_id) filter (where state in ('published', 'rolled_back')) + 1) as readings
from ops.load group by system, stream
"""
"""A rollback that begins while its load may still be rolled back ends within a day."""


@dataclass(frozen=True, slots=True)
class Protected:
    """The first load of a stream whose rows must all stay, and the first whose superseded readings must; 0: all must.

    Of what was written by the loads before `first`, the newest version of each key must stay too.
    """

    first: int
    readings: int


def protected_loads(connection: psycopg.Connection, now: datetime) -> dict[tuple[str, str], Protected]:
    """By system and stream: what a rollback, its undo, and the conform of pending loads still need."""
    pending = [load_id for load_id, *_ in pending_loads(connection)]
    rows = connection.execute(_PROTECTED, {"now": now, "pending": pending}).fetchall()
    return {(system, stream): Protected(first or 0, readings or 0) for system, stream, first, readings in rows}


def load_horizon(
    connection: psycopg.Connection, system: str, stream: str, protected: Protected, cutoff: datetime
) -> int:
    """The first load that must stay of those that were published before and after the cutoff (our clock)."""
    found = connection.execute(
        "select min(load_id) from ops.load where system = %s and stream = %s"
        " and state in ('published', 'rolled_back') and ended_at >= %s",
        (system, stream, cutoff),
    ).fetchone()
    since = found[0] if found else None
    return protected.first if since is None else min(protected.first, since)
