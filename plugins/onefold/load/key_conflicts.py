"""Key conflicts: different rows under one key in one load, and nothing that says which of them is newer.

Two companies' invoices 1/2026, two amounts under one document number: the key lacks what tells the rows apart, or the
source contradicts itself. To choose one would lose the other without a word, so all of them wait in quarantine, and
what is published of the key stays as it is, until a load brings one row of it. A greater cursor does say which row is
newer; the time of reading does too where a record may change between two pages (Capabilities.ordered), but never
within a page, a file or a table. Rows with the same content are one row, read twice.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.catalog.stream import Stream
from onefold.load.ledger import Load
from onefold.load.newer_wins import is_not_older
from onefold.load.row_content import content_sql
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import LandingTables

EXPECTATION = "one row a key"
"""What such rows failed, as ops.quarantine calls it."""


def find_key_conflicts(connection: psycopg.Connection, load: Load, stream: Stream, *, ordered: bool) -> int:
    """Write the rows in conflict, each content once, into the load's `conflict` table; returns how many there are.

    Called only where some key was read more than once. Raises psycopg.DataError where one of the rows is no JSON.
    """
    names = {
        "conflict": load.tables.conflict,
        "pages": load.tables.pages,
        "content": content_sql("page._payload::jsonb", stream),
        "later_wins": sql.SQL(", page._extracted_at desc" if ordered else ""),
    }
    connection.execute(sql.SQL("drop table if exists {conflict}").format(**names))
    rows = connection.execute(sql.SQL(_CONFLICT).format(**names)).rowcount
    if rows:
        connection.execute(sql.SQL("analyze {conflict}").format(**names))
    else:
        connection.execute(sql.SQL("drop table {conflict}").format(**names))
    return rows


_CONFLICT = """
    create unlogged table {conflict} as
    with repeated as (
        select _key from {pages} group by _key having count(*) > 1 and count(distinct _hash) > 1
    ), ranked as (
        select page.*, {content} as _content,
               rank() over (partition by page._key order by page._cursor desc nulls last{later_wins}) as place
        from {pages} page join repeated using (_key)
    ), different as (
        select _key, count(distinct _content) as rows from ranked where place = 1
        group by _key having not bool_or(_deleted) and count(distinct _content) > 1
    )
    select distinct on (_key, _content) _key, _hash, _cursor, _extracted_at, _payload::jsonb as _payload, rows
    from ranked join different using (_key) where place = 1 order by _key, _content, _hash
"""


def count_new_conflicts(connection: psycopg.Connection, load: Load, stream: Stream) -> int:
    """How many rows of the load are in conflict and do not wait in quarantine for it yet."""
    if not _exists(connection, load.tables):
        return 0
    new = sql.SQL(_NEW).format(**_names(load, stream))
    rows: int = one_row(connection.execute(sql.SQL("select count(*) from {}").format(new)))[0]
    return rows


def quarantine_key_conflicts(connection: psycopg.Connection, load: Load, stream: Stream) -> int:
    """Store the rows in conflict in quarantine, but for those that wait there already; returns how many were stored.

    What waits of earlier conflicts, and what this load contradicts or has read as one row, is superseded. Inside the
    transaction that publishes the load.
    """
    found = _exists(connection, load.tables)
    names = {
        **_names(load, stream),
        "single": sql.SQL("not exists (select from {} c where c._key = read._key)").format(load.tables.conflict)
        if found
        else sql.SQL("true"),
    }
    waiting = sql.SQL("select exists (select from {}").format(sql.SQL(_WAITING).format(**names))
    if one_row(connection.execute(sql.SQL("{})").format(waiting)))[0]:
        if found:
            connection.execute(sql.SQL(_CLOSE_OTHER_ROWS).format(**names))
        connection.execute(sql.SQL(_CLOSE_SINGLE).format(**names))
    if not found:
        return 0
    new = sql.SQL(_NEW).format(**names)
    return connection.execute(sql.SQL(_QUARANTINE).format(**names, new=new)).rowcount


def _names(load: Load, stream: Stream) -> dict[str, sql.Composable]:
    return {
        "conflict": load.tables.conflict,
        "pages": load.tables.pages,
        "system": sql.Literal(load.system),
        "stream": sql.Literal(load.stream),
        "load": sql.Literal(load.load_id),
        "expectation": sql.Literal(EXPECTATION),
        "key": sql.Literal(", ".join(stream.primary_key)),
        "waiting": content_sql("q.payload", stream),
        "read": content_sql("c._payload", stream),
        "is_not_older": is_not_older("read", "q"),
    }


_WAITING = """
    ops.quarantine q where q.system = {system} and q.stream = {stream} and q.state = 'open' and q.key_conflict
"""
_CLOSE_SINGLE = """
    update ops.quarantine q set state = 'superseded', closed_at = now(), closed_by_load = {load}
    from {pages} read
    where q.system = {system} and q.stream = {stream} and q.state = 'open' and q.key_conflict
      and q.load_id <> {load} and read._key = q._key and {is_not_older} and {single}
"""
_CLOSE_OTHER_ROWS = """
    update ops.quarantine q set state = 'superseded', closed_at = now(), closed_by_load = {load}
    where q.system = {system} and q.stream = {stream} and q.state = 'open' and q.key_conflict
      and q._key in (select _key from {conflict})
      and not exists (select from {conflict} c where c._key = q._key and (c._hash = q._hash or {read} = {waiting}))
"""
_NEW = """
    {conflict} c where not exists (
        select from ops.quarantine q
        where q.system = {system} and q.stream = {stream} and q.state = 'open' and q.key_conflict
          and q._key = c._key and (q._hash = c._hash or {waiting} = {read})
    )
"""
_QUARANTINE = """
    insert into ops.quarantine
        (load_id, system, stream, _key, _hash, payload, _cursor, _extracted_at, suite, expectation, reason,
         key_conflict)
    select {load}, {system}, {stream}, _key, _hash, _payload, _cursor, _extracted_at, 'landing', {expectation},
           format('%s different rows have this key (%s), and nothing says which is newer', rows, {key}), true
    from {new}
"""


def _exists(connection: psycopg.Connection, tables: LandingTables) -> bool:
    name = tables.conflict.as_string(connection)
    return one_row(connection.execute("select to_regclass(%s)", (name,)))[0] is not None
