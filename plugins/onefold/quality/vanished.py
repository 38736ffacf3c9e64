"""Records that a source gives only together with their sisters, and whose deletion shows in nothing but their absence.

Where a stream's `whole` says so, a landed record stands for all that share the first fields of its key: an order that
was read has just the items that came with it. What staging still holds of such an order, and the newer reading lacks,
is landed as deleted: last seen content, the sisters' cursor.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.catalog.system import Stream
from onefold.warehouse.ledger import Load
from onefold.warehouse.tables import StagingTable


def land_vanished(connection: psycopg.Connection, load: Load, stream: Stream) -> int:
    """Add the deletions to the landed pages and return how many there are; done twice, it adds nothing more."""
    if not stream.whole:
        return 0
    return connection.execute(
        sql.SQL(
            """
            insert into {pages} (_key, _cursor, _deleted, _hash, _extracted_at, _payload)
            select held._key, sisters._cursor, true, decode(md5('gone' || held._payload::text), 'hex'),
                   sisters._extracted_at, held._payload::text
            from {current} held
            join (
                select {shared} as shared, max(_cursor) as _cursor, max(_extracted_at) as _extracted_at
                from {pages} group by 1
            ) sisters on sisters.shared = {shared_held}
            where not held._deleted and held._cursor < sisters._cursor
              and not exists (select from {pages} read where read._key = held._key and read._cursor = sisters._cursor)
            """
        ).format(
            pages=load.tables.pages,
            current=StagingTable(load.system, load.stream).current,
            shared=_first("_key", stream.whole),
            shared_held=_first("held._key", stream.whole),
        )
    ).rowcount


def _first(key: str, count: int) -> sql.Composable:
    """The first values of a key, which is a JSON array: it has several fields."""
    return sql.SQL("jsonb_path_query_array({}::jsonb, {})").format(sql.SQL(key), sql.Literal(f"$[0 to {count - 1}]"))
