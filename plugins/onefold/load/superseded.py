"""What a load read and did not write only because of what was there before it; without that one it would have been.

It is stored while that one may still be rolled back. A record that was read just as it is held takes a few bytes
(staging.unchanged): most of a load that brings everything again is such. Any other reading is stored whole
(staging.superseded).
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.load.ledger import Load
from onefold.settings import settings
from onefold.warehouse.rows import one_row

BUCKETS = 1024
"""Into how many parts the keys of a load are split, by their hash."""
_PORTION = 10_000
"""How many rows that can no longer matter a publish removes at most: it is not to wait for housekeeping."""


def first_reversible(connection: psycopg.Connection, system: str, stream: str) -> int | None:
    """The stream's first load that may still be rolled back; those before it are final. None: all are."""
    first: int | None = one_row(
        connection.execute(
            "select min(load_id) from ops.load where system = %s and stream = %s and rollback_until > now()"
            " and state in ('published', 'rolled_back')",
            (system, stream),
        )
    )[0]
    return first


def store_superseded(connection: psycopg.Connection, load: Load) -> None:
    """Store what the gate found superseded, inside the caller's transaction, which publishes the load."""
    if one_row(connection.execute("select to_regclass(%s)", (load.tables.superseded.as_string(connection),)))[0]:
        names = {
            "compared": load.tables.compared,
            "superseded": load.tables.superseded,
            "system": sql.Literal(load.system),
            "stream": sql.Literal(load.stream),
            "load": sql.Literal(load.load_id),
            "buckets": sql.Literal(BUCKETS),
        }
        connection.execute(
            sql.SQL(
                """
                insert into staging.unchanged (system, stream, bucket, _load_id, held_load, keys, extracted_at)
                select {system}, {stream}, hashtext(_key) & ({buckets} - 1), {load}, _held,
                       array_agg(_key), array_agg(_extracted_at)
                from {compared} where _how = 'same' group by 3, 5
                """
            ).format(**names)
        )
        connection.execute(
            sql.SQL(
                """
                insert into staging.superseded (system, stream, _key, _hash, _payload, _cursor, _deleted, _load_id,
                                           _extracted_at, gated, suite, expectation, reason, _withheld)
                select {system}, {stream}, _key, _hash, _payload, _cursor, _deleted, {load}, _extracted_at, gated,
                       suite, expectation, reason, _withheld
                from {superseded}
                """
            ).format(**names)
        )
    _forget(connection, load)


def set_rollback_until(connection: psycopg.Connection, load: Load, cursor: str | None, *, moved_cursor: bool) -> None:
    """Write down until when the load can be rolled back, and how far it read; inside the publishing transaction.

    `cursor` is the greatest that it read, and `moved_cursor` is stored for a rollback of earlier loads, after which the
    cursor is where those that moved it and stay have moved it.
    """
    connection.execute(
        "update ops.load set rollback_until = now() + make_interval(days => %s), moved_cursor = %s, cursor_value = %s"
        " where load_id = %s",
        (settings().rollback_days, moved_cursor, cursor, load.load_id),
    )


def _forget(connection: psycopg.Connection, load: Load) -> None:
    """Remove a portion of what can no longer matter.

    A load's readings matter until it is final itself. What was written whole, others may lean on (their readings were
    the same) until they are final too, which is twice that time.
    """
    names = (load.system, load.stream)
    first = one_row(
        connection.execute(
            "select min(load_id) filter (where rollback_until > now()),"
            " min(load_id) filter (where rollback_until + (rollback_until - ended_at) > now()) from ops.load"
            " where system = %s and stream = %s and state in ('published', 'rolled_back')",
            names,
        )
    )
    for table, kept in zip(("unchanged", "superseded"), first, strict=True):
        connection.execute(
            sql.SQL(
                "delete from {table} where ctid = any (array(select ctid from {table}"
                " where system = %s and stream = %s and _load_id < %s limit {portion}))"
            ).format(table=sql.Identifier("staging", table), portion=sql.Literal(_PORTION)),
            (*names, load.load_id if kept is None else kept),
        )
