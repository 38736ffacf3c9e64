"""What staging and quarantine would hold of some keys if a stream's loads had been others.

A load compares each reading with what is held and writes it only when it differs and is not older
(load/change_detection.py).
Every reading that mattered, or would have without others, is an observation: the versions, the
keyed rows in quarantine, and what is kept aside (load/superseded.py). Folding the observations of the loads that are to
be there, in the loads' order and by the same rule, gives what those loads alone would have written.

Two kinds of observations are themselves made of what was held: a reading just as the record was held is its equal once
more, and a deletion by sweep (load/delete_detection.py) says only that the record, whatever it was, is gone.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.errors import Fatal
from onefold.load.change_detection import content_sql
from onefold.load.superseded import BUCKETS
from onefold.rollback.stream_change import Change


def fold(connection: psycopg.Connection, change: Change) -> None:
    """Make the temporary tables `touched` (the keys in question), `observation` and `folded`; nothing else is written.

    `folded` has a row for each observation of the loads that are to be there: whether it is `written`, and `good` (a
    version; else in quarantine), and which load's row in quarantine it `closes`. The tables go with the transaction.
    Raises Fatal when an observation is not what it should be.
    """
    names = _names(change)
    for statement in (_TOUCHED, _OBSERVATION, _FOLDED):
        for each in statement:
            connection.execute(sql.SQL(each).format(**names))
    lost = connection.execute("select count(*) from observation where _payload is null").fetchone()[0]
    if lost:
        raise Fatal(
            f"{change.name}: {lost} readings cannot be found again that later loads had read unchanged; nothing was "
            "changed. Somebody has removed rows from staging or staging.superseded: restore them from a backup."
        )


def _names(change: Change) -> dict[str, sql.Composable]:
    return {
        **change.names,
        "buckets": sql.Literal(BUCKETS),
        "whole": sql.Literal(change.stream.deletes.complete_group),
        "theirs": content_sql("theirs._payload", change.stream),
        "ours": content_sql("ours._payload", change.stream),
    }


_TOUCHED = (
    "drop table if exists pg_temp.touched, pg_temp.observation, pg_temp.folded",
    'create temp table touched (_key text collate "C" primary key) on commit drop',
    """
    insert into touched
    select _key from {staging} where _load_id = any ({loads})
    union
    select _key from ops.quarantine
    where system = {system} and stream = {stream} and load_id = any ({loads}) and _key is not null
    union
    select _key from staging.superseded
    where {taken_in} and system = {system} and stream = {stream} and _load_id = any ({loads})
    union
    select unnest(keys) collate "C" from staging.unchanged
    where {taken_in} and system = {system} and stream = {stream} and _load_id = any ({loads})
    """,
    "analyze touched",
)
"""To take a load out, the keys that it had an effect on are enough; to take it in again, all that it read."""

_OBSERVATION = (
    """
    create temp table observation on commit drop as
    with included as materialized (
        select load_id, exists (select from ops.replay_row r where r.load_id = load.load_id) as again from ops.load
        where system = {system} and stream = {stream} and load_id >= {first}
          and case when load_id = any ({loads}) then {taken_in} else state = 'published' end
    ),
    again as (
        select _key, _held, min(array[_load_id, (extract(epoch from _extracted_at) * 1000000)::bigint]) as earliest
        from (
            select _load_id, unnest(keys) collate "C" as _key, unnest(extracted_at) as _extracted_at,
                   held_load as _held
            from staging.unchanged
            where system = {system} and stream = {stream} and _load_id in (select load_id from included)
              and bucket in (select hashtext(_key) & ({buckets} - 1) from touched)
        ) every
        where _key in (select _key from touched)
        group by 1, 2
    ),
    found as (
        select 'version' as origin, _key, _load_id, _hash, _payload, _cursor, _deleted, _extracted_at,
               true as judged, null::text as suite, null::text as expectation, null::text as reason
        from {staging} where _key in (select _key from touched) and _load_id >= {first}
        union all
        select 'aside', _key, _load_id, _hash, _payload, _cursor, _deleted, _extracted_at,
               gated, suite, expectation, reason
        from staging.superseded where system = {system} and stream = {stream}
          and _key in (select _key from touched) and _load_id >= {first}
        union all
        select 'quarantine', _key, load_id, _hash, payload, _cursor, false, _extracted_at,
               true, suite, expectation, reason
        from ops.quarantine where system = {system} and stream = {stream}
          and _key in (select _key from touched) and load_id >= {first}
        union all
        select 'unchanged', again._key, earliest[1], held._hash, held._payload, held._cursor, held._deleted,
               timestamptz 'epoch' + earliest[2] * interval '1 microsecond', true, null, null, null
        from again left join lateral (
            select _hash, _payload, _cursor, _deleted from {staging} where _key = again._key and _load_id = again._held
            union all
            select _hash, _payload, _cursor, _deleted from staging.superseded
            where system = {system} and stream = {stream} and _key = again._key and _load_id = again._held
            limit 1
        ) held on true
    ),
    -- what became a version or waits in quarantine after it had been read unchanged is there twice
    single as (
        select distinct on (_key, _load_id) * from found order by _key, _load_id, origin = 'unchanged'
    )
    select single.*, row_number() over (partition by _key order by _load_id) as place,
           _deleted and _hash = decode(md5('gone' || _payload::text), 'hex') as swept, again
    from single join included on load_id = _load_id
    """,
    """
    insert into observation
    (select 'before', _key, _load_id, _hash, _payload, _cursor, _deleted, _extracted_at, true, null, null, null,
            null::bigint, false, false
    from touched cross join lateral (
        select _load_id, _hash, _payload, _cursor, _deleted, _extracted_at from {staging} version
        where version._key = touched._key and version._load_id < {first} order by _load_id desc limit 1
    ) held)
    union all
    (select distinct on (_key) 'waiting', _key, load_id, _hash, payload, _cursor, false, _extracted_at, true,
           suite, expectation, reason, null::bigint, false, false
    from touched join ops.quarantine using (_key)
    where system = {system} and stream = {stream} and load_id < {first}
      and (state = 'open' or (state <> 'rolled_back' and closed_by_load >= {first}))
    order by _key, load_id desc)
    """,
    "create unique index on observation (_key, _load_id)",
    "create index on observation (_key, place)",
    "analyze observation",
)
"""Of readings of one record just as it was held, the earliest counts: another one after it would write nothing."""

_FOLDED = (
    """
    create temp table folded on commit drop as
    with recursive step as (
        select touched._key, 0::bigint as place, null::bigint as _load_id, false as written, null::bigint as closes,
               held._load_id as _held, held._load_id as _source, held._hash, held._cursor, held._deleted,
               held._extracted_at, waiting._load_id as _open
        from touched
        left join observation held on held._key = touched._key and held.origin = 'before'
        left join observation waiting on waiting._key = touched._key and waiting.origin = 'waiting'
        union all
        select step._key, ours.place, ours._load_id, taken,
               case when closed then _open when overtaken then ours._load_id end,
               case when good then ours._load_id else _held end,
               case when not good then _source when swept then gone._of else ours._load_id end,
               case when not good then step._hash when swept then gone._hash else ours._hash end,
               case when not good then step._cursor when swept and not {whole} then gone._cursor
                    else ours._cursor end,
               case when good then ours._deleted else step._deleted end,
               case when good then ours._extracted_at else step._extracted_at end,
               case when taken and not good and not overtaken then ours._load_id when not closed then _open end
        from step
        join observation ours on ours._key = step._key and ours.place = step.place + 1
        left join lateral (
            select _of, _cursor, decode(md5('gone' || _payload::text), 'hex') as _hash from (
                select _source as _of, step._cursor, _payload from observation theirs
                where _held is not null and not step._deleted and theirs._key = step._key
                  and theirs._load_id = _source
                union all
                select _open, theirs._cursor, _payload from observation theirs
                where theirs._key = step._key and theirs._load_id = _open
                  and (_held is null or theirs._cursor >= step._cursor or theirs._cursor is null
                       or step._cursor is null)
            ) alive
            where not {whole} or _cursor < ours._cursor
            order by _cursor desc nulls last, _hash desc limit 1  -- as load/change_detection.py reduces them
        ) gone on swept
        cross join lateral (
            select case
                when swept then gone._of is not null and gone._hash is distinct from step._hash
                when _held is null then true
                when step._hash = ours._hash then false
                when step._cursor is null or ours._cursor is null or ours._cursor > step._cursor
                    or (ours._cursor = step._cursor and ours._extracted_at >= step._extracted_at)
                then (select (step._deleted, {theirs}) is distinct from (ours._deleted, {ours}) from observation theirs
                      where theirs._key = step._key and theirs._load_id = _source)
                else false
            end as differs
        ) compared
        cross join lateral (
            select coalesce(differs, false) and not (
                ours.suite is not null and not again and _open is not null and exists (
                    select from observation theirs where theirs._key = step._key and theirs._load_id = _open
                    and (theirs._hash = ours._hash or {theirs} = {ours})
                )
            ) as taken
        ) decided
        cross join lateral (select taken and ours.suite is null as good) judged
        cross join lateral (
            select taken and _open is not null and coalesce((
                select (theirs._cursor, theirs._extracted_at) <= (ours._cursor, ours._extracted_at)
                from observation theirs where theirs._key = step._key and theirs._load_id = _open), true) as closed
        ) ended
        cross join lateral (select taken and not good and _open is not null and not closed as overtaken) waited
    )
    select _key, _load_id, written, written and coalesce(_held = _load_id, false) as good, closes, _source,
           _hash, _cursor, _deleted, _extracted_at
    from step where place > 0
    """,
    "create unique index on folded (_key, _load_id)",
    "analyze folded",
)
"""Step by step along each key's observations: what is held (_held, with load _source's content) and which load's row
waits in quarantine (_open). A refused row that is older than the one which waits is closed by its own load, overtaken.
What a replay reads is judged although it waits (again). For a version, hash, cursor and time are its own."""
