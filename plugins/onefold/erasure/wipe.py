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
from onefold.privacy.subject import Subject
from onefold.privacy.tables import WarehouseTable
from onefold.warehouse.rows import one_row

log = logging.getLogger(__name__)

_LOCK_TIMEOUT = "60s"
_MOST_SEGMENTS = 256


def tables_once_held(tables: Iterable[WarehouseTable], touched: Iterable[str], subject: Subject) -> set[str]:
    """The tables whose files may hold something of the person: those just changed, and those where rows of the person's
    streams, or of the entities made of them, stand for a time and are deleted again."""
    every = list(tables)
    names = set(touched)
    streams = {(system, stream) for system, stream, _ in subject.records} | {
        (table.system, table.stream) for table in every if table.full_name in names
    }
    entities = {table.entity.entity for table in every if table.full_name in names and table.entity} | {
        table.entity.entity
        for table in every
        if table.entity and any(f"{system}.{stream}" in table.entity.streams for system, stream in streams)
    }
    for table in every:
        if (
            ((table.system, table.stream) in streams and table.system)
            or (table.entity and table.entity.entity in entities)
            or table.full_name in ("staging.superseded", "staging.change", "ops.quarantine")
        ):
            names.add(table.full_name)
    return names


def rewrite_tables(connection: psycopg.Connection, tables: Iterable[str]) -> None:
    """Write these tables (schema.name) anew, without what was erased; and what PostgreSQL has gathered of their values.

    The connection is in autocommit. Readers of a table wait while it is written. Each part of a large table is named
    for itself, hence ONLY: as a part of its parent it would be written once more. Raises Retriable when somebody else
    uses one for a minute.
    """
    connection.execute(sql.SQL("set lock_timeout = {}").format(sql.Literal(_LOCK_TIMEOUT)))
    try:
        for name in sorted(set(tables)):
            schema, _, table = name.partition(".")
            there = "select to_regclass(%s) is not null"
            identifier = sql.Identifier(schema, table)
            if one_row(connection.execute(there, (identifier.as_string(connection),)))[0]:
                connection.execute(sql.SQL("vacuum (full, analyze) only {}").format(identifier))
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
    """Fill every segment of the write-ahead log with something else; returns how many were filled.

    A checkpoint gives segments that are not needed any more their bytes and all to the future. So the one in use is
    ended first: then what was erased stands in segments of the future alone, and at the end of the one now in use,
    which is one of them. The connection is in autocommit.
    """
    _next_segment(connection)
    connection.execute("checkpoint")
    (segments,) = one_row(connection.execute("select count(*) from pg_ls_waldir() where length(name) = 24"))
    filled: int = min(segments, _MOST_SEGMENTS) + 1
    for _ in range(filled):
        _next_segment(connection)
    connection.execute("checkpoint")
    log.info("%s segments of the write-ahead log were filled anew", filled)
    return filled


def _next_segment(connection: psycopg.Connection) -> None:
    connection.execute("select pg_current_xact_id()")  # of an unused segment PostgreSQL would not switch
    connection.execute("select pg_switch_wal()")
