"""Tries a step of `up` again that others at work on the same database have made fail."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import psycopg

from onefold.warehouse.contention import CONCURRENTLY_UPDATED, is_contention

PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further try."""

_NOT_READY = (
    psycopg.errors.CannotConnectNow,
    psycopg.errors.ObjectInUse,  # the template of a new database is being looked at
    psycopg.errors.AdminShutdown,
)
_SAID = ("the database system is starting up", "the database system is shutting down")
"""How the server says the same before there is a session that could have a code."""
_OUTPUT = ("DeadlockDetected", "LockNotAvailable", "deadlock detected", CONCURRENTLY_UPDATED, *_SAID)

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
    return is_contention(error) or isinstance(error, _NOT_READY) or any(said in str(error) for said in _SAID)


def is_transient_output(output: str) -> bool:
    """The same of what a program that uses the database has printed."""
    return any(said in output for said in _OUTPUT)
