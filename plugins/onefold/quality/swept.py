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
            from {current} held
            join (
                select part, max(whole_since) as since from landing.part
                where load_id = {load_id} and whole_since is not null group by part
            ) part on part.part = {part}
            where not held._deleted and not exists (
                select from {pages} read
                where read._key = held._key and (read._extracted_at >= part.since or read._deleted)
            )
            """
        ).format(
            pages=load.tables.pages,
            current=StagingTable(load.system, load.stream).current,
            load_id=sql.Literal(load.load_id),
            part=sql.SQL("''" if one_part else "held._key::jsonb ->> 0"),
        )
    ).rowcount
