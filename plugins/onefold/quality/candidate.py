"""From landed pages to what the gate looks at: one row a key, and only what differs from the current version."""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.catalog.system import Stream
from onefold.warehouse.landing import set_aside_unstorable
from onefold.warehouse.ledger import Load
from onefold.warehouse.staging import LARGE
from onefold.warehouse.tables import StagingTable


def make_candidates(connection: psycopg.Connection, load: Load, stream: Stream, *, again: bool = False) -> int:
    """Reduce the landed records to the candidates and return how many there are.

    Of several readings of one key the one with the greatest cursor counts; at equal cursors the one read last. A
    reading is a candidate when its content differs from the current version (compared by hash first, as jsonb where
    the hashes differ: a source may write its keys in another order), is not older than it, and is not in quarantine
    already, unchanged (unless what waits there is to be judged `again`). What the catalogue calls volatile is no
    content.
    """
    try:
        return _reduce(connection, load, stream, again)
    except psycopg.DataError:  # some record is no JSON that can be stored; hardly ever, so looked for only now
        set_aside_unstorable(connection, load)
        return _reduce(connection, load, stream, again)


def _reduce(connection: psycopg.Connection, load: Load, stream: Stream, again: bool) -> int:
    """Keys, hashes and cursors decide first; a record is parsed only where they say that it may have changed."""
    _know_size(connection, load)
    staging = StagingTable(load.system, load.stream).versions
    first = not connection.execute(sql.SQL("select exists (select from {})").format(staging)).fetchone()[0]
    names = {
        # What becomes a part of staging as it is must outlive a crash of the server; the rest is written once more.
        "kind": sql.SQL("" if load.rows_read >= LARGE else "unlogged"),
        "candidate": load.tables.candidate,
        "load_id": sql.Literal(load.load_id),
        "oldest": sql.Literal(_oldest(connection, load)),
        "pages": load.tables.pages,
        "newest": _newest(connection, load),
        "not_waiting": sql.SQL("true") if again else _not_waiting(connection, load, stream),
        "staging": staging,
        "held": content_sql("version._payload", stream),
        "read": content_sql("read._payload::jsonb", stream),
    }
    connection.execute(sql.SQL("drop table if exists {candidate}").format(**names))
    return connection.execute((_ALL if first else _DIFFERENT).format(**names)).rowcount


_ALL = sql.SQL(
    """
    create {kind} table {candidate} as
    select _key, _cursor, _deleted, _hash, _extracted_at, _payload::jsonb as _payload, {load_id}::bigint as _load_id,
           false as _known
    from ({newest}) read where {not_waiting}
    """
)
"""A first load has nothing to be compared with; as plain as this, PostgreSQL parses the records on several cores."""

_DIFFERENT = sql.SQL(
    """
    create {kind} table {candidate} as
    with different as materialized (
        select read._row, held._load_id as _held
        from ({newest}) read
        left join (
            select _key, _load_id, _hash, _cursor, _extracted_at from {staging} version
            where not exists (
                select from {staging} later
                where later._key = version._key and later._load_id > version._load_id and later._load_id > {oldest}
            )
        ) held on held._key = read._key
        where held._key is null
           or (
               held._hash <> read._hash
               and (
                   held._cursor is null or read._cursor is null or read._cursor > held._cursor
                   or (read._cursor = held._cursor and read._extracted_at >= held._extracted_at)
               )
           )
    )
    select _key, _cursor, _deleted, _hash, _extracted_at, _payload::jsonb as _payload, {load_id}::bigint as _load_id,
           _held is not null as _known
    from different
    -- offset 0: fetched by its place; PostgreSQL would rather read all pages into memory to join them
    cross join lateral (select * from {pages} page where page.ctid = different._row offset 0) read
    where (
        _held is null
        or (
            select (version._deleted, {held}) is distinct from (read._deleted, {read})
            from {staging} version where version._key = read._key and version._load_id = _held
        )
    )
    and {not_waiting}
    """
)
"""The join takes no payloads, so that millions of versions fit into memory; those of what is left, which is little, are
looked up one by one. A later version is of a later load than the stream's oldest: where one load brought most of
staging, the index on the loads leaves it out."""


def _oldest(connection: psycopg.Connection, load: Load) -> int:
    """The first load that may have written into the stream's staging table; the ledger is never pruned."""
    return connection.execute(
        "select coalesce(min(load_id), 0) from ops.load"
        " where system = %s and stream = %s and state in ('published', 'rolled_back')",
        (load.system, load.stream),
    ).fetchone()[0]


def _know_size(connection: psycopg.Connection, load: Load) -> None:
    """A small sample is enough for a good plan; without one PostgreSQL thinks of five times as many, narrow rows."""
    with connection.transaction():
        connection.execute("set local default_statistics_target = 10")
        connection.execute(sql.SQL("analyze {}").format(load.tables.pages))


def _not_waiting(connection: psycopg.Connection, load: Load, stream: Stream) -> sql.Composable:
    """Whether the same content waits in quarantine already; asked only where anything waits there.

    A cursor that can be read now, and could not before, is reason enough to judge it once more.
    """
    waiting = sql.SQL("ops.quarantine q where q.system = {} and q.stream = {} and q.state = 'open'").format(
        load.system, load.stream
    )
    if not connection.execute(sql.SQL("select exists (select from {})").format(waiting)).fetchone()[0]:
        return sql.SQL("true")
    return sql.SQL(
        "not exists (select from {} and q._key = read._key and not read._deleted"
        " and (q._cursor is null) = (read._cursor is null) and (q._hash = read._hash or {} = {}))"
    ).format(waiting, content_sql("q.payload", stream), content_sql("read._payload::jsonb", stream))


def _newest(connection: psycopg.Connection, load: Load) -> sql.Composed:
    """One reading a key. Sorting them all is dear and mostly in vain: most loads read every key once."""
    pages = load.tables.pages
    repeated = connection.execute(sql.SQL("select count(distinct _key) < count(*) from {}").format(pages)).fetchone()[0]
    if not repeated:
        return sql.SQL("select ctid as _row, * from {}").format(pages)
    return sql.SQL(
        "select pages.ctid as _row, pages.* from {pages} pages join ("
        "select distinct on (_key) ctid as _row from {pages}"
        " order by _key, _cursor desc nulls last, _extracted_at desc, _hash desc) newest on newest._row = pages.ctid"
    ).format(pages=pages)


def content_sql(payload: str, stream: Stream) -> sql.Composable:
    """The part of a record that counts when two readings are compared."""
    expression = sql.SQL(payload)
    for path in stream.volatile:
        expression = sql.SQL("({} #- {})").format(expression, sql.Literal(path.split(".")))
    return expression
