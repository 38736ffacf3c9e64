"""Clears what PostgreSQL leaves on disk of what was erased: dead rows, statistics, and the write-ahead log.

A page keeps the bytes of a dead row until something is written over them, and VACUUM alone only moves the living rows
together; VACUUM FULL writes the table anew. Recycled segments of the log keep theirs until they are used again, so each
is filled once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import psycopg
from psycopg import sql

from onefold.errors import Retriable
from onefold.warehouse.rows import one_row

log = logging.getLogger(__name__)

_LOCK_TIMEOUT = "60s"
_MOST_SEGMENTS = 256


def rewrite_tables(connection: psycopg.Connection, tables: Iterable[str]) -> None:
    """Write these tables (schema.name) anew, without what was erased; and what PostgreSQL has gathered of their values.

    The connection is in autocommit. Readers of a table wait while it is written. Raises Retriable when somebody else
    uses one for a minute.
    """
    connection.execute(sql.SQL("set lock_timeout = {}").format(sql.Literal(_LOCK_TIMEOUT)))
    try:
        for name in sorted(set(tables)):
            schema, _, table = name.partition(".")
            there = "select to_regclass(%s) is not null"
            identifier = sql.Identifier(schema, table)
            if one_row(connection.execute(there, (identifier.as_string(connection),)))[0]:
                connection.execute(sql.SQL("vacuum (full, analyze) {}").format(identifier))
        connection.execute("vacuum (full) pg_catalog.pg_statistic")
    except psycopg.errors.LockNotAvailable as error:
        raise Retriable(
            "A table of which something was erased is in use; its file on disk still holds what was erased. Nothing "
            "else is missing. Let the query that reads it end; this is tried again."
        ) from error
    finally:
        if not connection.closed:
            connection.execute("reset lock_timeout")


def renew_log(connection: psycopg.Connection) -> int:
    """Fill every segment of the write-ahead log with something else, recycled ones too; returns how many there were."""
    connection.execute("checkpoint")
    (segments,) = one_row(connection.execute("select count(*) from pg_ls_waldir() where length(name) = 24"))
    for _ in range(min(segments, _MOST_SEGMENTS) + 1):
        connection.execute("select pg_current_xact_id()")  # of an unused segment PostgreSQL would not switch
        connection.execute("select pg_switch_wal()")
    connection.execute("checkpoint")
    log.info("%s segments of the write-ahead log were filled anew", segments)
    return int(segments)
