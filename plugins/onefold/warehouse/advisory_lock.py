"""PostgreSQL's advisory locks: one session at a time may hold a name; a killed one loses it with its connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from onefold.errors import Retriable
from onefold.warehouse.rows import one_row


@contextmanager
def advisory_lock(connection: psycopg.Connection, name: str, *, namespace: int = 0, busy: str) -> Iterator[None]:
    """Hold the lock `name` of a namespace within the block. Raises Retriable with the text `busy` when it is taken."""
    key = (name, namespace)
    if not one_row(connection.execute("select pg_try_advisory_lock(hashtextextended(%s, %s))", key))[0]:
        raise Retriable(busy)
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(hashtextextended(%s, %s))", key)


@contextmanager
def awaited_lock(
    connection: psycopg.Connection, name: str, *, namespace: int, seconds: float, busy: str
) -> Iterator[None]:
    """Hold the lock `name` of a namespace within the block, after waiting for whoever has it for so many seconds.

    The connection commits by itself, and is this lock's alone. Raises Retriable with the text `busy` when that was too
    short.
    """
    connection.execute("select set_config('lock_timeout', %s, false)", (f"{round(seconds * 1000)}ms",))
    try:
        connection.execute("select pg_advisory_lock(hashtextextended(%s, %s))", (name, namespace))
    except psycopg.errors.LockNotAvailable:
        raise Retriable(busy) from None
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(hashtextextended(%s, %s))", (name, namespace))
