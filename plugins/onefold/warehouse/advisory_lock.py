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
