"""Every change that a load has read of a record, of streams that store them all (versions: every_change).

The newest reading of a key becomes its version in staging, as of any stream. Where a load has read a key more than
once, all its readings are stored beside that (staging.change), each completed from the one before it, in their order.
The gate judges the newest alone: it is what conform builds from. staging.<system>__<stream>__changes shows all changes
of the loads that are published, so that a rollback takes them out and its undo brings them back.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.catalog.partial_changes import MERGED, UNCHANGED_FIELDS
from onefold.load.landing import move_unstorable
from onefold.load.ledger import Load
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import StagingTable


def make_changes(connection: psycopg.Connection, load: Load) -> None:
    """Make the load's table of changes, before partial ones are merged into the newest; done twice, it is the same."""
    try:
        _make(connection, load)
    except psycopg.DataError:  # some record is no JSON that can be stored; hardly ever, so looked for only now
        move_unstorable(connection, load)
        _make(connection, load)


def _make(connection: psycopg.Connection, load: Load) -> None:
    names = {
        "change": load.tables.change,
        "pages": load.tables.pages,
        "versions": StagingTable(load.system, load.stream).versions,
        "system": sql.Literal(load.system),
        "stream": sql.Literal(load.stream),
        "unchanged": sql.Literal(UNCHANGED_FIELDS),
        "merged": sql.Literal(MERGED),
    }
    with connection.transaction():
        connection.execute(sql.SQL("drop table if exists {change}").format(**names))
        if not one_row(connection.execute(_REPEATED.format(**names)))[0]:
            return
        connection.execute(_ALL.format(**names))
        fields = connection.execute(_FIELDS.format(**names)).fetchall()
        if fields:
            connection.execute(_HELD.format(**names))
        for (field,) in fields:
            connection.execute(_FILL.format(**names, field=sql.Literal(field)))
        if fields:
            for statement in _END:
                connection.execute(statement.format(**names))


def store_changes(connection: psycopg.Connection, load: Load) -> None:
    """Store the load's changes, inside the caller's transaction, which publishes it. A newest one that was refused is
    in quarantine, and comes back from there."""
    if one_row(connection.execute("select to_regclass(%s)", (load.tables.change.as_string(connection),)))[0]:
        connection.execute(
            _STORE.format(
                change=load.tables.change,
                refused=load.tables.refused,
                load=sql.Literal(load.load_id),
                system=sql.Literal(load.system),
                stream=sql.Literal(load.stream),
            )
        )


def ensure_changes_view(connection: psycopg.Connection, table: StagingTable) -> None:
    """Make the stream's view of all changes, if it is missing."""
    if one_row(connection.execute("select to_regclass(%s)", (table.changes.as_string(connection),)))[0]:
        return
    connection.execute(
        _VIEW.format(
            view=table.changes,
            versions=table.versions,
            system=sql.Literal(table.system),
            stream=sql.Literal(table.stream),
        )
    )


_REPEATED = sql.SQL("select count(distinct _key) < count(*) from {pages}")

_ALL = sql.SQL(
    """
    create unlogged table {change} as
    select _key, _cursor, _deleted, _hash, _extracted_at, _payload::jsonb as _payload,
           row_number() over (partition by _key order by {order}) as _number,
           row_number() over (partition by _key order by {order}) = readings as _newest
    from (select *, ctid as place, count(*) over (partition by _key) as readings from {pages}) page
    where readings > 1
    """.replace("{order}", "_cursor nulls last, _extracted_at, place")
)

_FIELDS = sql.SQL(
    "select distinct jsonb_array_elements_text(_payload -> {unchanged}) from {change} where _payload ? {unchanged}"
)

_HELD = sql.SQL(
    """
    insert into {change} (_key, _cursor, _deleted, _hash, _extracted_at, _payload, _number, _newest)
    select _key, held._cursor, false, '', now(), held._payload - {merged}, 0, false
    from (select distinct _key from {change} where _payload ? {unchanged}) completed
    cross join lateral (
        (select _cursor, _payload, _deleted from {versions} version where version._key = completed._key
         order by _load_id desc limit 1)
        union all
        select _cursor, payload, false from ops.quarantine waiting
        where system = {system} and stream = {stream} and state = 'open' and attribute is null
          and waiting._key = completed._key
        order by _cursor desc nulls last limit 1
    ) held
    where not held._deleted
    """
)
"""What the first change of a key is laid over."""

_FILL = sql.SQL(
    """
    update {change} change set _payload = change._payload || jsonb_build_object({field}, value)
    from (
        select _key, _number, first_value(_payload -> {field}) over (partition by _key, known order by _number) as value
        from (
            select _key, _number, _payload, count(*) filter (where _payload ? {field})
                over (partition by _key order by _number) as known
            from {change}
        ) counted
    ) filled
    where filled._key = change._key and filled._number = change._number and value is not null
      and change._payload -> {unchanged} ? {field} and not change._payload ? {field}
    """
)
"""One field in all changes that leave it out: the value of the last one before that has it."""

_END = (
    sql.SQL("delete from {change} where _number = 0"),
    sql.SQL(
        """
        update {change} set _payload = whole, _hash = decode(md5(whole::text), 'hex')
        from (select _key as key, _number as number, _payload - {unchanged} as whole from {change}
              where _payload ? {unchanged}
                and _payload ?& array(select jsonb_array_elements_text(_payload -> {unchanged}))) filled
        where key = _key and number = _number
        """
    ),
)

_STORE = sql.SQL(
    """
    insert into staging.change (system, stream, _key, _load_id, _number, _hash, _payload, _cursor, _deleted,
                                _extracted_at)
    select {system}, {stream}, _key, {load}, _number, _hash, _payload, _cursor, _deleted, _extracted_at
    from {change} change
    where not (_newest and exists (select from {refused} refused where refused._key = change._key))
    """
)

_VIEW = sql.SQL(
    """
    create view {view} as
    with change as (
        select _key, _load_id, _number, _payload, _cursor, _deleted, _extracted_at from staging.change change
        where system = {system} and stream = {stream}
          and exists (select from ops.load l where l.load_id = change._load_id and l.state = 'published')
    )
    select * from change
    union all
    select _key, _load_id, 1, _payload, _cursor, _deleted, _extracted_at from {versions} version
    where not exists (
        select from change where change._key = version._key and change._cursor is not distinct from version._cursor
            and change._deleted = version._deleted
    )
    """
)
