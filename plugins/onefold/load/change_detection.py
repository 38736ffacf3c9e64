"""From landed pages to what the gate looks at: one row a key, and only what differs from the current version."""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.catalog.stream import Stream
from onefold.load.key_conflicts import find_key_conflicts
from onefold.load.landing import move_unstorable
from onefold.load.ledger import Load
from onefold.load.newer_wins import NEWEST_FIRST, is_not_older
from onefold.load.row_content import content_sql
from onefold.load.staging import CHILD_TABLE_ROWS
from onefold.load.superseded import first_reversible
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import StagingTable


def make_candidates(
    connection: psycopg.Connection, load: Load, stream: Stream, *, again: bool = False, ordered: bool = False
) -> int:
    """Reduce the landed records to the candidates and return how many there are.

    Of several readings of one key the one with the greatest cursor counts; where several have it and say different
    things, none does (load/key_conflicts.py), or the one read last where the pages are `ordered`. A reading is a
    candidate when its content differs from the current version (compared by hash first, as jsonb where the hashes
    differ: a source may write its keys in another order), is not older than it, and is not in quarantine already,
    unchanged. What the catalogue calls volatile is no content. What waits there may be gated `again`; so may a current
    version that lacks a withheld value.
    """
    try:
        return _reduce(connection, load, stream, again, ordered)
    except psycopg.DataError:  # some record is no JSON that can be stored; hardly ever, so looked for only now
        move_unstorable(connection, load)
        return _reduce(connection, load, stream, again, ordered)


def _reduce(connection: psycopg.Connection, load: Load, stream: Stream, again: bool, ordered: bool) -> int:
    """Keys, hashes and cursors decide first; a record is parsed only where they say that it may have changed.

    What is no candidate only because of a version or a quarantined row that may still be rolled back is stored as
    superseded.
    """
    if not _holds_rows(connection, load.tables.pages):
        return _make_no_candidates(connection, load)
    _know_size(connection, load)
    staging = StagingTable(load.system, load.stream).versions
    empty = not _holds_rows(connection, staging)
    waiting = _waiting(connection, load)
    reversible = first_reversible(connection, load.system, load.stream)
    names = {
        "compared": load.tables.compared,
        "candidate": load.tables.candidate,
        "superseded": load.tables.superseded,
        "load_id": sql.Literal(load.load_id),
        "reversible": sql.Literal(reversible),
        "pages": load.tables.pages,
        "is_not_older": is_not_older("read", "held"),
        "newest": _newest(connection, load, stream, ordered),
        "not_waiting": _not_waiting(load, stream) if waiting and not again else sql.SQL("true"),
        "waiting": sql.SQL(
            "ops.quarantine q where q.system = {} and q.stream = {} and q.state = 'open' and q.attribute is null"
            " and not q.key_conflict"
        ).format(load.system, load.stream),
        "again": sql.Literal(again),
        "held_withheld": sql.SQL("_withheld" if again else "null::jsonb"),
        "staging": staging,
        "held": content_sql("version._payload", stream),
        "read": content_sql("read._payload::jsonb", stream),
        "refused": content_sql("q.payload", stream),
    }
    _drop(connection, load)
    if empty and not waiting:
        return connection.execute(_ALL.format(**names, kind=_kind(load.rows_read))).rowcount
    connection.execute(_COMPARED.format(**names, current=_current(connection, load)))
    most = one_row(connection.execute(_MOST.format(**names)))[0]
    candidates = connection.execute(_DIFFERENT.format(**names, kind=_kind(most))).rowcount
    if reversible is not None:
        connection.execute(_SUPERSEDED.format(**names))
    return candidates


_ALL = sql.SQL(
    """
    create {kind} table {candidate} as
    select _key, _cursor, _deleted, _hash, _extracted_at, _payload::jsonb as _payload, {load_id}::bigint as _load_id,
           null::jsonb as _withheld, false as _known
    from ({newest}) read
    """
)
"""A first load has nothing to be compared with; as plain as this, PostgreSQL parses the records on several cores."""

_COMPARED = sql.SQL(
    """
    create unlogged table {compared} as
    select * from (
        select read._row, read._key, read._extracted_at, held._load_id as _held,
               case
                   when held._key is null then 'new'
                   when held._hash = read._hash and not ({again} and held._withheld is not null)
                       then case when held._cursor is not distinct from read._cursor then 'same' else 'equal' end
                   when {is_not_older} then 'newer'
                   else 'late'
               end as _how
        from ({newest}) read
        left join (
            select _key, _load_id, _hash, _cursor, _extracted_at, {held_withheld} as _withheld
            from {staging} version where {current}
        ) held on held._key = read._key
    ) every
    where _how in ('new', 'newer') or _held >= {reversible}
    """
)
"""The join takes no payloads, so that millions of versions fit into memory."""

_MOST = sql.SQL("select count(*) from {compared} where _how in ('new', 'newer')")

_DIFFERENT = sql.SQL(
    """
    create {kind} table {candidate} as
    select _key, _cursor, _deleted, _hash, _extracted_at, _payload::jsonb as _payload, {load_id}::bigint as _load_id,
           null::jsonb as _withheld, _held is not null as _known
    from (select _row, _held from {compared} where _how in ('new', 'newer')) different
    -- offset 0: fetched by its place; PostgreSQL would rather read all pages into memory to join them
    cross join lateral (select * from {pages} page where page.ctid = different._row offset 0) read
    where (
        _held is null
        or (
            select (version._deleted, {held}) is distinct from (read._deleted, {read})
                or ({again} and version._withheld is not null)
            from {staging} version where version._key = read._key and version._load_id = _held
        )
    )
    and {not_waiting}
    """
)
"""The payloads of what may differ, which is little, are looked up one by one."""

_SUPERSEDED = sql.SQL(
    """
    create unlogged table {superseded} as
    select read._key, read._cursor, read._deleted, read._hash, read._extracted_at, read._payload::jsonb as _payload,
           _how <> 'late' as gated, q.suite, q.expectation, q.reason,
           case when _how <> 'late' and q.suite is null then (
               select _withheld from {staging} version where version._key = read._key and version._load_id = _held
           ) end as _withheld
    from (
        select compared.* from {compared} compared left join {candidate} candidate using (_key)
        where _how <> 'same' and (_how in ('equal', 'late') or candidate._key is null)
    ) left_out
    cross join lateral (select * from {pages} page where page.ctid = left_out._row offset 0) read
    left join lateral (
        select q.suite, q.expectation, q.reason, q.load_id from {waiting} and q._key = read._key
        and not read._deleted and left_out._how in ('new', 'newer')
        and (q._hash = read._hash or {refused} = {read}) limit 1
    ) q on true
    where coalesce(q.load_id, _held) >= {reversible}
    """
)
"""What does not differ is as good as what it was compared with; what waits in quarantine was refused for the same
reasons; what is late has never been gated. A join, because of `not exists` after an `or` PostgreSQL would look through
all candidates for each row once they are too many to be hashed in memory."""


def _holds_rows(connection: psycopg.Connection, table: sql.Composable) -> bool:
    there: bool = one_row(connection.execute(sql.SQL("select exists (select from {})").format(table)))[0]
    return there


def _make_no_candidates(connection: psycopg.Connection, load: Load) -> int:
    """Most loads of a night bring nothing: the table is made, which the publish reads, and nothing is compared."""
    _drop(connection, load)
    return connection.execute(
        _ALL.format(
            kind=_kind(0),
            candidate=load.tables.candidate,
            load_id=sql.Literal(load.load_id),
            newest=sql.SQL("select * from {}").format(load.tables.pages),
        )
    ).rowcount


def _drop(connection: psycopg.Connection, load: Load) -> None:
    """What an attempt before this one has made."""
    tables = sql.SQL(", ").join((load.tables.candidate, load.tables.compared, load.tables.superseded))
    connection.execute(sql.SQL("drop table if exists {}").format(tables))


def _kind(most: int) -> sql.Composable:
    """Of a table for so many candidates: what becomes a part of staging as it is must outlive a crash of the server.

    The rest is written once more.
    """
    return sql.SQL("" if most >= CHILD_TABLE_ROWS else "unlogged")


def _current(connection: psycopg.Connection, load: Load) -> sql.Composable:
    """Which versions of staging are the newest of their key.

    A later version is of a later load than the stream's oldest: where one load brought most of staging, the index on
    the loads leaves it out. Whether there is any is asked first: to find that there is none, PostgreSQL would hash all
    versions. The oldest is the first that may have written into staging: the ledger keeps every load that has.
    """
    oldest = one_row(
        connection.execute(
            "select coalesce(min(load_id), 0) from ops.load"
            " where system = %s and stream = %s and state in ('published', 'rolled_back')",
            (load.system, load.stream),
        )
    )[0]
    later = sql.SQL("exists (select from {} later where later._load_id > {}").format(
        StagingTable(load.system, load.stream).versions, sql.Literal(oldest)
    )
    if not one_row(connection.execute(sql.SQL("select {})").format(later)))[0]:
        return sql.SQL("true")
    return sql.SQL("not {} and later._key = version._key and later._load_id > version._load_id)").format(later)


def _know_size(connection: psycopg.Connection, load: Load) -> None:
    """A small sample is enough for a good plan; without one PostgreSQL thinks of five times as many, narrow rows."""
    with connection.transaction():
        connection.execute("set local default_statistics_target = 10")
        connection.execute(sql.SQL("analyze {}").format(load.tables.pages))


def _waiting(connection: psycopg.Connection, load: Load) -> bool:
    """Whether anything of the stream waits in quarantine."""
    waiting: bool = one_row(
        connection.execute(
            "select exists (select from ops.quarantine where system = %s and stream = %s and state = 'open'"
            " and attribute is null)",
            (load.system, load.stream),
        )
    )[0]
    return waiting


def _not_waiting(load: Load, stream: Stream) -> sql.Composable:
    """Whether the same content waits in quarantine already; asked only where anything waits there.

    A deletion never does: it may repeat the content that was refused, but it is not gated. A cursor that can be read
    now, and could not before, is reason enough to gate it once more.
    """
    return sql.SQL(
        "not exists (select from ops.quarantine q where q.system = {} and q.stream = {} and q.state = 'open'"
        " and q.attribute is null and not q.key_conflict and q._key = read._key and not read._deleted"
        " and (q._cursor is null) = (read._cursor is null) and (q._hash = read._hash or {} = {}))"
    ).format(load.system, load.stream, content_sql("q.payload", stream), content_sql("read._payload::jsonb", stream))


def _newest(connection: psycopg.Connection, load: Load, stream: Stream, ordered: bool) -> sql.Composed:
    """One reading a key, none of a key in conflict. Sorting them all is slow and rarely needed: most loads read every
    key once."""
    pages = load.tables.pages
    repeated = one_row(connection.execute(sql.SQL("select count(distinct _key) < count(*) from {}").format(pages)))[0]
    if not repeated:
        return sql.SQL("select ctid as _row, * from {}").format(pages)
    conflicts = find_key_conflicts(connection, load, stream, ordered=ordered)
    single = (
        sql.SQL("where _key not in (select _key from {})").format(load.tables.conflict) if conflicts else sql.SQL("")
    )
    return sql.SQL(
        "select pages.ctid as _row, pages.* from {pages} pages join ("
        "select distinct on (_key) ctid as _row from {pages} {single}"
        " order by _key, {newest_first}) newest on newest._row = pages.ctid"
    ).format(pages=pages, single=single, newest_first=NEWEST_FIRST)
