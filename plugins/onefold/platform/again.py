"""Tries a step of `up` again that others at work on the same database have made fail."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import psycopg

PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further try."""

TRANSIENT = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.SerializationFailure,
    psycopg.errors.CannotConnectNow,
    psycopg.errors.ObjectInUse,  # the template of a new database is being looked at
    psycopg.errors.AdminShutdown,
)
_SAID = ("concurrently updated", "the database system is starting up", "the database system is shutting down")
"""How the server says the same without a code of its own, or before there is a session that could have one."""
_OUTPUT = ("DeadlockDetected", "LockNotAvailable", "deadlock detected", *_SAID)

Found = TypeVar("Found")


def again(step: Callable[[], Found]) -> Found:
    """What `step` returns. It must be safe to repeat: after a deadlock, a lock that was not free, or a server that was
    not ready, it is called again, at most len(PAUSES) times. Raises what it raises at last, and at once anything else.
    """
    for pause in PAUSES:
        try:
            return step()
        except psycopg.Error as error:
            if not is_transient(error):
                raise
        time.sleep(pause)
    return step()


def is_transient(error: psycopg.Error) -> bool:
    """Whether the same step may succeed a moment later."""
    return isinstance(error, TRANSIENT) or any(said in str(error) for said in _SAID)


def is_transient_output(output: str) -> bool:
    """The same of what a program that uses the database has printed."""
    return any(said in output for said in _OUTPUT)
