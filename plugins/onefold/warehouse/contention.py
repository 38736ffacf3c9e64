"""What PostgreSQL says when others are at work on the same things: the same step may succeed a moment later."""

from __future__ import annotations

import psycopg

CONCURRENTLY_UPDATED = "concurrently updated"
"""How it says so of a row of its own catalog, such as of an object that two sessions grant at once: as an internal
error (XX000), which has no code of its own."""

_IN_THE_WAY = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.SerializationFailure,
)


def is_contention(error: psycopg.Error) -> bool:
    """Whether another session was in the way: a lock, a deadlock, a change of the same row or object."""
    return isinstance(error, _IN_THE_WAY) or CONCURRENTLY_UPDATED in str(error)
