"""What a source listed anew, whole, and no longer has: its absence is the only sign that it was deleted.

A reader says which parts of the stream it read whole, and since when (connectors/page.py, Part). What staging still
holds of such a part and no page since then had is landed as deleted, with the content that was seen last.
"""

from __future__ import annotations

import logging

import psycopg
from psycopg import sql

from onefold.catalog.system import Stream
from onefold.warehouse.ledger import Load
from onefold.warehouse.tables import StagingTable

log = logging.getLogger(__name__)


def land_swept(connection: psycopg.Connection, load: Load, stream: Stream) -> int:
    """Add the deletions to the landed pages and return how many there are; done twice, it adds nothing more.

    Nothing is swept when some record could not be read: it may be just the one that seems to be missing.
    """
    whole, unnamed, unreadable = connection.execute(
        "select count(*), count(*) filter (where part = ''),"
        " (select count(*) from landing.unreadable where load_id = %(load_id)s)"
        " from landing.part where load_id = %(load_id)s and whole_since is not null",
        {"load_id": load.load_id},
    ).fetchone()
    if not whole:
        return 0
    if unreadable:
        log.warning("%s.%s: not swept, %s records have no key", load.system, load.stream, unreadable)
        return 0
    one_part = unnamed or len(stream.primary_key) == 1
    return connection.execute(
        sql.SQL(
            """
            insert into {pages} (_key, _cursor, _deleted, _hash, _extracted_at, _payload)
            select held._key, held._cursor, true, decode(md5('gone' || held._payload::text), 'hex'),
                   greatest(now(), part.since), held._payload::text
            from (
                select part, max(whole_since) as since from landing.part
                where load_id = {load_id} and whole_since is not null group by part
            ) part
            cross join lateral ({held}) held
            where not held._deleted and not exists (
                select from {pages} read
                where read._key = held._key and (read._extracted_at >= part.since or read._deleted)
            )
            """
        ).format(
            pages=load.tables.pages,
            load_id=sql.Literal(load.load_id),
            held=(_ALL if one_part else _OF_PART).format(
                current=StagingTable(load.system, load.stream).current,
                versions=StagingTable(load.system, load.stream).versions,
            ),
        )
    ).rowcount


_ALL = sql.SQL("select * from {current}")
_OF_PART = sql.SQL(
    """
    select distinct on (_key) * from {versions}
    where _key >= ('[' || to_json(part.part) || ',') collate "C"
      and _key < ('[' || to_json(part.part) || '-') collate "C"
    order by _key, _load_id desc
    """
)
"""A key of several fields is a JSON array, so the index on the keys finds those of a part: '["part",' and what follows
it, up to the character after the comma."""
