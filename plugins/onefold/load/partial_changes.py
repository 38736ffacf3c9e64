"""Merges changes that carry only some fields into the records that they change, before the gate looks at them.

Of each key the readings count in their order: by the source's clock where there is one, then as they were read. The
newest whole one is the base: landed now, held in staging, or waiting in quarantine. What came after it in part is laid
over it. A record that was never sent whole takes its other fields from its master. A change without any base stays as
it is and waits in quarantine; the load that brings its record, or its master, merges it.

The merged reading says what it was merged into (MERGED), unless that came with the same load: a rollback of that load
alone would leave fields in it that nobody sent.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.catalog.partial_changes import MERGED, UNCHANGED_FIELDS, Master, PartialChanges
from onefold.catalog.stream import Stream
from onefold.load.landing import move_unstorable
from onefold.load.ledger import Load
from onefold.mapping.sql import field_sql, literal
from onefold.quality.partial import is_partial, is_whole
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import StagingTable


def merge_partial_changes(connection: psycopg.Connection, load: Load, stream: Stream, *, replay: bool) -> None:
    """Put whole records in the place of landed partial changes; done twice, it changes nothing more.

    A replay takes what it has chosen, and nothing else that waits.
    """
    if stream.partial_changes is None:
        return
    try:
        _merge_all(connection, load, stream, stream.partial_changes, replay)
    except psycopg.DataError:  # some record is no JSON that can be stored; hardly ever, so looked for only now
        move_unstorable(connection, load)
        _merge_all(connection, load, stream, stream.partial_changes, replay)


def _merge_all(connection: psycopg.Connection, load: Load, stream: Stream, rule: PartialChanges, replay: bool) -> None:
    """Records without a master first: a master may itself have changed in part."""
    with connection.transaction():
        for master in (None, rule.master) if rule.master else (None,):
            _merge(connection, _names(load, stream, rule, replay), stream, rule, master)


def _names(load: Load, stream: Stream, rule: PartialChanges, replay: bool) -> dict[str, sql.Composable]:
    return {
        "pages": load.tables.pages,
        "load": sql.Literal(load.load_id),
        "versions": StagingTable(load.system, load.stream).versions,
        "waiting": sql.SQL(
            "(select * from ops.quarantine where system = {} and stream = {} and state = 'open' and attribute is null"
            " and _key is not null and jsonb_typeof(payload) = 'object' and {})"
        ).format(load.system, load.stream, sql.Literal(not replay)),
        "payload_is_whole": is_whole(rule, "payload"),
        "page_is_whole": is_whole(rule, "page._payload::jsonb"),
        "unchanged": sql.Literal(UNCHANGED_FIELDS),
        "merged": sql.Literal(MERGED),
        "marked_own": sql.Literal([MERGED, "own"]),
    }


def _merge(
    connection: psycopg.Connection,
    names: dict[str, sql.Composable],
    stream: Stream,
    rule: PartialChanges,
    master: Master | None,
) -> None:
    """Merge the changes of records with a master, or of those without."""

    def of_kind(payload: str) -> sql.Composable:
        known: sql.Composable = sql.SQL("true")
        if rule.master:
            known = sql.SQL("({} ->> {}) is {} null").format(
                sql.SQL(payload), sql.Literal(rule.master.id), sql.SQL("not" if master else "")
            )
        return sql.SQL("({} and {})").format(is_partial(stream, payload), known)

    def master_key(payload: str) -> sql.Composable:
        return sql.SQL(_master_key(stream, master, payload)) if master else sql.SQL("null::text")

    names = names | {
        "page_of_kind": of_kind("page._payload::jsonb"),
        "waiting_of_kind": of_kind("waiting.payload"),
        "waiting_master": master_key("waiting.payload"),
        "held_master": master_key("held._payload"),
        "reading_master": master_key("reading.payload"),
        "of_master": sql.Literal(list(master.own) if master else []),
    }
    connection.execute("drop table if exists pg_temp.partial_key, pg_temp.partial_reading, pg_temp.partial_result")
    connection.execute(_KEYS.format(**names))
    if master:
        connection.execute(_KEYS_OF_MASTERS.format(**names))
    if one_row(connection.execute("select exists (select from partial_key)"))[0]:
        for statement in (_READINGS, _RESULTS, *_WRITE):
            connection.execute(statement.format(**names))


def _master_key(stream: Stream, master: Master, payload: str) -> str:
    """The SQL expression of the master's key, as connectors/records.py writes keys of one and of several fields."""
    others = [field_sql(name, stream.fields[name], payload) for name in stream.primary_key[:-1]]
    parts = [*others, f"({payload} ->> {literal(master.id)})"]
    if len(parts) == 1:
        return parts[0]
    return "'[' || " + " || ',' || ".join(f"to_json({part})::text" for part in parts) + " || ']'"


_KEYS = sql.SQL(
    """
    create temp table partial_key on commit drop as
    select page._key from {pages} page where not page._deleted and {page_of_kind}
    union
    select waiting._key from {waiting} waiting where {waiting_of_kind}
        and exists (select from {pages} page where page._key = waiting._key)
    """
)
_KEYS_OF_MASTERS = sql.SQL(
    """
    insert into partial_key
    select _key from (
        select waiting._key from {waiting} waiting where {waiting_of_kind}
            and {waiting_master} in (select _key from {pages} where not _deleted)
        union
        select held._key from {versions} held where held._payload #> {marked_own} is not null and not held._deleted
            and {held_master} in (select _key from {pages} where not _deleted)
            and not exists (
                select from {versions} later where later._key = held._key and later._load_id > held._load_id
            )
    ) of_master where _key not in (select _key from partial_key)
    """
)
"""Stubs whose master has come: those that wait for it, and those that have taken fields from it before."""

_READINGS = sql.SQL(
    """
    create temp table partial_reading on commit drop as
    select every.*, _deleted or {payload_is_whole} as whole,
           row_number() over (
               partition by _key order by _cursor nulls last, _extracted_at, source, place
           ) as number
    from (
        select page._key, page._cursor, page._deleted, page._extracted_at, page._payload::jsonb as payload,
               2 as source, page.ctid as place, null::bigint as load_id, null::jsonb as completed
        from {pages} page join partial_key using (_key)
        union all
        select waiting._key, waiting._cursor, false, waiting._extracted_at, waiting.payload - {merged}, 1, null,
               waiting.load_id, null
        from {waiting} waiting join partial_key using (_key)
        union all
        select held._key, held._cursor, held._deleted, held._extracted_at,
               case when held._payload #> {marked_own} is null then held._payload - {merged} else (
                   select coalesce(jsonb_object_agg(own, held._payload -> own), '{{}}')
                   from jsonb_array_elements_text(held._payload #> {marked_own}) own
               ) end,
               0, null, held._load_id,
               case when held._payload #> {marked_own} is not null then held._payload - {merged} end
        from partial_key cross join lateral (
            select * from {versions} version where version._key = partial_key._key order by _load_id desc limit 1
        ) held
    ) every
    """
)
"""Every reading that counts; what a stub took from its master is not its own reading (`completed` has all of it)."""

_RESULTS = sql.SQL(
    """
    create temp table partial_result on commit drop as
    with newest as (
        select distinct on (_key) * from partial_reading order by _key, number desc
    ), base as (
        select distinct on (_key) * from partial_reading where whole order by _key, number desc
    ), change as (
        select reading._key, jsonb_object_agg(field.key, field.value order by reading.number) as fields,
               max(reading.load_id) as load_id, any_value(reading.completed) as completed,
               max({reading_master}) as master_key
        from partial_reading reading left join base on base._key = reading._key
        cross join lateral jsonb_each(reading.payload) field
        where not reading.whole and reading.number > coalesce(base.number, 0)
        group by reading._key
    )
    select newest._key, coalesce(newest._cursor, base._cursor) as _cursor,
           greatest(newest._extracted_at, master._extracted_at) as _extracted_at,
           case
               when base.payload is not null then base.payload
               when master.payload is not null then master.payload - {of_master}::text[]
               else coalesce(change.completed, '{{}}')
           end || (change.fields - case when base.payload is null then '' else {unchanged} end) || case
               when base.payload is null and master.payload is null and change.completed is null then '{{}}'
               else jsonb_strip_nulls(jsonb_build_object({merged}, nullif(jsonb_strip_nulls(jsonb_build_object(
                   'load', greatest(
                       base.load_id, change.load_id, case when base.payload is null then master.load_id end
                   ),
                   'own', case when base.payload is null then (
                       select jsonb_agg(own order by own) from jsonb_object_keys(change.fields) own
                   ) end
               )), '{{}}')))
           end as payload
    from newest join change using (_key)
    left join base on base._key = newest._key and not base._deleted
    left join lateral (
        select payload - {merged} as payload, load_id, _extracted_at from (
            select page._payload::jsonb as payload, null::bigint as load_id, page._extracted_at, page._deleted
            from {pages} page where page._key = change.master_key
            union all
            select waiting.payload, waiting.load_id, waiting._extracted_at, false
            from {waiting} waiting where waiting._key = change.master_key
            union all
            (select held._payload, held._load_id, held._extracted_at, held._deleted
             from {versions} held where held._key = change.master_key order by held._load_id desc limit 1)
        ) every
        where _deleted or {payload_is_whole}
        order by _extracted_at desc, load_id desc nulls first limit 1
    ) master on true
    where not newest.whole
    union all
    select newest._key, late._cursor, late._extracted_at, newest.payload || (late.fields - {unchanged})
           || jsonb_build_object({merged}, jsonb_build_object('load', newest.load_id))
    from newest cross join lateral (
        select max(reading._cursor) as _cursor, max(reading._extracted_at) as _extracted_at,
               jsonb_object_agg(field.key, field.value order by reading.number) as fields
        from partial_reading reading cross join lateral jsonb_each(reading.payload) field
        where reading._key = newest._key and reading.source = 2 and not reading.whole
    ) late
    where newest.whole and newest.source < 2 and late.fields is not null
    """
)
"""A change that is older than what is held comes late, and is stored as such: what is held is not rolled back alone."""

_WRITE = (
    sql.SQL(
        """
        delete from {pages} page using partial_key where page._key = partial_key._key and not page._deleted
            and (not {page_is_whole} or page._key in (select _key from partial_result))
        """
    ),
    sql.SQL(
        """
        insert into {pages} (_key, _cursor, _deleted, _hash, _extracted_at, _payload)
        select _key, _cursor, false, decode(md5(payload::text), 'hex'), _extracted_at, payload::text
        from partial_result
        """
    ),
)
"""Where the newest reading is whole or a deletion, the partial ones before it say nothing more."""
