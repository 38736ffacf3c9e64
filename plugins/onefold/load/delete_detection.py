"""What a source gave whole and no longer has: its absence is the only sign that it was deleted.

What staging still holds of such a part, and the newer reading lacks, is landed as deleted with the content that was
seen last. So is what waits in quarantine, or a replay would bring to life what the source has deleted. Two things tell
which parts were read whole:

- A reader that listed partitions anew says which, and since when (connectors/partition.py); of a stream that every
  load lists whole, its connector does (connectors/listing.py).
- A stream whose records come only together with their siblings says so (`whole`): an order that was read has just the
  items that came with it, and the deletion of another takes its siblings' cursor.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import psycopg
from psycopg import sql

from onefold.catalog.stream import Stream
from onefold.errors import Rejected
from onefold.load.delete_guard import FEW, Missing, allow, count_missing, is_listing, refuse
from onefold.load.extraction import confirms
from onefold.load.job import Job
from onefold.load.landing import PAGES
from onefold.load.ledger import Load
from onefold.load.superseded import first_reversible
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import StagingTable

log = logging.getLogger(__name__)


def land_deletions(connection: psycopg.Connection, job: Job, load: Load) -> int:
    """Add the deletions to the landed pages and return how many there are; done twice, it adds nothing more.

    Nothing is deleted where some record of the listing could not be read: it may be just the one that seems missing.
    Raises Rejected when a listing lacks so much that somebody has to accept it first (load/delete_guard.py).
    """
    orphans = _without_siblings(connection, load) if job.stream.deletes.complete_group else 0
    partitions, unnamed, unreadable = _read_whole(connection, load)
    if not partitions:
        return orphans
    if unreadable:
        log.warning("%s: no deletes detected, %s records have no key", job.name, unreadable)
        return orphans

    def land() -> int:
        return _listed(connection, load, job.stream, of_stream=bool(unnamed))

    says_so = confirms(job.system) or job.stream.request.envelope is not None  # a log says itself that nothing is left
    empty = bool(unnamed) and load.rows_read == 0 and not says_so
    guarded = unnamed or is_listing(job.stream)
    return orphans + (_within_guard(connection, job, load, land, empty=empty) if guarded else land())


def land_missing(connection: psycopg.Connection, job: Job, load: Load) -> int:
    """Put what a sweep's keys lack, as deletions, in the place of its pages; returns how many there are.

    What was read since the sweep began is left alone. Done twice, it does nothing more. Raises what land_deletions
    raises, and Rejected when some record that was listed has no key.
    """
    done = one_row(connection.execute("select to_regclass(%s)", (load.tables.listed.as_string(connection),)))[0]
    if done:
        return 0
    (unreadable,) = one_row(
        connection.execute("select count(distinct _hash) from landing.unreadable where load_id = %s", (load.load_id,))
    )
    if unreadable:
        raise Rejected(
            f"{job.name}: {unreadable:,} of the records that the sweep has listed have no readable key, and each may "
            "be one that seems missing. Nothing was deleted. Have the source fix them, or sweep by another request."
        )
    return _within_guard(connection, job, load, lambda: _unlisted(connection, load), empty=load.rows_read == 0)


def _within_guard(connection: psycopg.Connection, job: Job, load: Load, land: Callable[[], int], *, empty: bool) -> int:
    """What `land` lands and counts, unless somebody has to accept so much first. `empty`: the listing of the stream
    has not one record."""
    refused: Missing | None = None
    landed = 0
    with connection.transaction() as landing:
        landed = land()
        if landed > FEW or (landed and empty):
            missing = count_missing(connection, load, empty=empty)
            if not allow(connection, job, load, missing):
                refused = missing
                raise psycopg.Rollback(landing)
    if refused:
        raise refuse(connection, job, load, refused)
    return landed


def lacks_records(connection: psycopg.Connection, load: Load) -> bool:
    """Whether staging or quarantine holds a record that is on no landed page."""
    missing: bool = one_row(
        connection.execute(
            sql.SQL(
                """
                select exists (
                    select from ({held}) held
                    where not held._deleted and not exists (select from {pages} read where read._key = held._key)
                )
                """
            ).format(held=_held(load, _ALL), pages=load.tables.pages)
        )
    )[0]
    return missing


def _read_whole(connection: psycopg.Connection, load: Load) -> tuple[int, int, int]:
    """How many partitions the load has read whole, how many of them are the stream itself, and how many records that
    it has read have no key."""
    return one_row(
        connection.execute(
            "select count(*), count(*) filter (where partition = ''),"
            " (select count(*) from landing.unreadable where load_id = %(load_id)s)"
            " from landing.partition where load_id = %(load_id)s and snapshot_since is not null",
            {"load_id": load.load_id},
        )
    )


def _listed(connection: psycopg.Connection, load: Load, stream: Stream, *, of_stream: bool) -> int:
    """Land what is missing from the partitions that were read whole; `of_stream`: from the stream itself."""
    return _land(
        connection,
        load,
        parts=_WHOLE.format(sql.Literal(load.load_id)),
        held=_ALL if of_stream else _OF_KEY if len(stream.primary_key) == 1 else _OF_PART,
        and_read=_READ_BEFORE if of_stream else None,
        cursor=sql.SQL("held._cursor"),
        extracted_at=sql.SQL("greatest(now(), listed.since)"),
        absent=_NOT_LISTED,
    )


def _unlisted(connection: psycopg.Connection, load: Load) -> int:
    """The pages become the keys that were listed, and new ones hold what these lack."""
    connection.execute(
        sql.SQL("alter table {} rename to {}").format(load.tables.pages, sql.Identifier(load.tables.listed_name))
    )
    connection.execute(PAGES.format(load.tables.pages))
    connection.execute(sql.SQL("analyze {}").format(load.tables.listed))
    return _land(
        connection,
        load,
        parts=_WHOLE.format(sql.Literal(load.load_id)),
        held=_ALL,
        cursor=sql.SQL("held._cursor"),
        extracted_at=sql.SQL("greatest(now(), listed.since)"),
        absent=sql.SQL(
            "(held._deleted or held._extracted_at < listed.since)"
            " and not exists (select from {listed} read where read._key = held._key)"
        ),
    )


def _without_siblings(connection: psycopg.Connection, load: Load) -> int:
    parts = sql.SQL(
        "select _key::jsonb ->> 0 as partition, max(_cursor) as _cursor, max(_extracted_at) as _extracted_at"
        " from {} group by 1"
    ).format(load.tables.pages)
    return _land(
        connection,
        load,
        parts=parts,
        held=_OF_PART,
        cursor=sql.SQL("listed._cursor"),
        extracted_at=sql.SQL("listed._extracted_at"),
        absent=sql.SQL(
            "held._cursor < listed._cursor and not exists (select from {pages} read"
            " where read._key = held._key and read._cursor = listed._cursor)"
        ),
    )


def _land(
    connection: psycopg.Connection,
    load: Load,
    *,
    parts: sql.Composable,
    held: sql.SQL,
    and_read: sql.SQL | None = None,
    cursor: sql.SQL,
    extracted_at: sql.SQL,
    absent: sql.SQL,
) -> int:
    """Land as deleted whatever is held of the parts, or was read (`and_read`), and is absent among the landed pages.

    What a load that may still be rolled back has deleted is landed again, and ends as superseded (load/superseded.py).
    """
    return connection.execute(
        sql.SQL(
            """
            insert into {pages} (_key, _cursor, _deleted, _hash, _extracted_at, _payload)
            select held._key, {cursor}, true, decode(md5('gone' || held._payload::text), 'hex'), {extracted_at},
                   held._payload::text
            from ({parts}) listed cross join lateral ({held}) held
            where (not held._deleted or held._load_id >= {reversible}) and {absent}
            """
        ).format(
            pages=load.tables.pages,
            parts=parts,
            held=_held(load, held) + _held(load, and_read or sql.SQL("")),
            cursor=cursor,
            extracted_at=extracted_at,
            reversible=sql.Literal(first_reversible(connection, load.system, load.stream)),
            absent=absent.format(pages=load.tables.pages, listed=load.tables.listed),
        )
    ).rowcount


def _held(load: Load, held: sql.SQL) -> sql.Composed:
    staging = StagingTable(load.system, load.stream)
    waiting = _WAITING.format(system=sql.Literal(load.system), stream=sql.Literal(load.stream))
    parts = {"current": staging.current, "versions": staging.versions, "waiting": waiting}
    return held.format(**parts, pages=load.tables.pages, load=sql.Literal(load.load_id))


_WHOLE = sql.SQL(
    "select partition, max(snapshot_since) as since from landing.partition"
    " where load_id = {} and snapshot_since is not null group by partition"
)
"""The partitions that were listed whole, and since when."""
_WAITING = sql.SQL(
    """
    select _key, payload as _payload, _cursor, false as _deleted, load_id as _load_id, _extracted_at from ops.quarantine
    where system = {system} and stream = {stream} and state = 'open' and payload is not null
    """
)
_NOT_LISTED = sql.SQL(
    """
    not exists (select from {pages} read where read._key = held._key and read._extracted_at >= listed.since)
    and not exists (
        select from (
            select distinct on (_key, _cursor is null) _key, _deleted from {pages}
            where _key in (select _key from {pages} where _deleted)
            order by _key, _cursor is null, _cursor desc, _extracted_at desc, _deleted desc
        ) last where last._deleted and last._key = held._key
    )
    """
)
"""Not read since, and not read as deleted before that, unless it came again in between."""
_ALL = sql.SQL("select _key, _payload, _cursor, _deleted, _load_id, _extracted_at from {current} union all {waiting}")
_READ_BEFORE = sql.SQL(
    """
    union all
    (
        select distinct on (_key) _key, _payload::jsonb, _cursor, false, {load}, _extracted_at from {pages}
        where not _deleted and _extracted_at < listed.since
        order by _key, _cursor desc nulls last, _extracted_at desc
    )
    """
)
"""And what this load itself has read last before the listing began: of a table that was emptied after that."""
_OF_PART = sql.SQL(
    """
    (
        select distinct on (_key) _key, _payload, _cursor, _deleted, _load_id, _extracted_at from {versions}
        where _key >= ('[' || to_json(listed.partition) || ',') collate "C"
          and _key < ('[' || to_json(listed.partition) || '-') collate "C"
        order by _key, _load_id desc
    )
    union all
    {waiting} and _key >= ('[' || to_json(listed.partition) || ',') collate "C"
      and _key < ('[' || to_json(listed.partition) || '-') collate "C"
    """
)
"""A key of several fields is a JSON array, so the index on the keys finds those of a part: '["part",' and what follows
it, up to the character after the comma."""
_OF_KEY = sql.SQL(
    """
    (
        select _key, _payload, _cursor, _deleted, _load_id, _extracted_at from {versions}
        where _key = listed.partition collate "C" order by _load_id desc limit 1
    )
    union all
    {waiting} and _key = listed.partition collate "C"
    """
)
"""A key of one field is the name of its partition."""
