"""What staging and quarantine would hold of some keys if a stream's loads had been different ones.

A load compares each reading with what is held, and writes it only when it differs and is not older
(load/change_detection.py). A reading is what one load read of one key. All readings that were written, or would have
been without others, are kept: as versions, as rows in quarantine, and as superseded readings (load/superseded.py).
Recomputing goes through the readings of the loads that are to be there, in the loads' order and by the same rule, and
gives what those loads alone would have written.

Two kinds of readings depend on what was held. An unchanged one repeats the content that was held. A delete that was
detected by a snapshot (load/delete_detection.py) says only that the record, whatever its content, is deleted.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.errors import Fatal
from onefold.load.newer_wins import is_not_older
from onefold.load.row_content import content_sql
from onefold.load.superseded import BUCKETS
from onefold.rollback.stream_change import StreamChange
from onefold.warehouse.rows import one_row


def recompute_history(connection: psycopg.Connection, change: StreamChange) -> None:
    """Create the temporary tables `affected_key`, `reading` and `recomputed`; nothing else is written.

    `recomputed` has a row for each reading of the loads that are to be there: whether it is `written`, then whether as
    a version (`is_version`) or into quarantine, and which load's row in quarantine it `closes`. The tables are dropped
    with the transaction. Raises Fatal when the content of a reading is missing.
    """
    names = _names(change)
    for statements in (_AFFECTED_KEYS, _READINGS, _RECOMPUTED):
        for statement in statements:
            connection.execute(sql.SQL(statement).format(**names))
    missing = one_row(connection.execute("select count(*) from reading where _payload is null"))[0]
    if missing:
        raise Fatal(
            f"{change.name}: the content of {missing} readings that later loads found unchanged is missing; nothing "
            "was changed. Rows were removed from staging or staging.superseded: restore them from a backup."
        )


def _names(change: StreamChange) -> dict[str, sql.Composable]:
    return {
        **change.names,
        "buckets": sql.Literal(BUCKETS),
        "complete_group": sql.Literal(change.stream.deletes.complete_group),
        "earlier": content_sql("earlier._payload", change.stream),
        "this": content_sql("this._payload", change.stream),
        "deleted": content_sql("deletion._payload", change.stream),
        "replaces_current": is_not_older("this", "step"),
        "replaces_refused": is_not_older("this", "earlier"),
    }


_AFFECTED_KEYS = (
    "drop table if exists pg_temp.affected_key, pg_temp.reading, pg_temp.recomputed",
    'create temp table affected_key (_key text collate "C" primary key) on commit drop',
    """
    insert into affected_key
    select _key from {staging} where _load_id = any ({loads})
    union
    select _key from ops.quarantine
    where system = {system} and stream = {stream} and load_id = any ({loads}) and _key is not null
    union
    select _key from staging.superseded
    where {restoring} and system = {system} and stream = {stream} and _load_id = any ({loads})
    union
    select unnest(keys) collate "C" from staging.unchanged
    where {restoring} and system = {system} and stream = {stream} and _load_id = any ({loads})
    """,
    "analyze affected_key",
)
"""To roll a load back, the keys that it wrote are enough; to publish it again, all keys that it read."""

_READINGS = (
    """
    create temp table reading on commit drop as
    with included as materialized (
        select load_id, exists (select from ops.replay_row r where r.load_id = load.load_id) as replayed
        from ops.load
        where system = {system} and stream = {stream} and load_id >= {first_load}
          and case when load_id = any ({loads}) then {restoring} else state = 'published' end
    ),
    unchanged as (
        select _key, _held, min(array[_load_id, (extract(epoch from _extracted_at) * 1000000)::bigint]) as earliest
        from (
            select _load_id, unnest(keys) collate "C" as _key, unnest(extracted_at) as _extracted_at,
                   held_load as _held
            from staging.unchanged
            where system = {system} and stream = {stream} and _load_id in (select load_id from included)
              and bucket in (select hashtext(_key) & ({buckets} - 1) from affected_key)
        ) every
        where _key in (select _key from affected_key)
        group by 1, 2
    ),
    found as (
        select 'version' as kind, _key, _load_id, _hash, _payload, _cursor, _deleted, _extracted_at,
               true as gated, null::text as suite, null::text as expectation, null::text as reason, _withheld
        from {staging} where _key in (select _key from affected_key) and _load_id >= {first_load}
        union all
        select 'superseded', _key, _load_id, _hash, _payload, _cursor, _deleted, _extracted_at,
               gated, suite, expectation, reason, _withheld
        from staging.superseded where system = {system} and stream = {stream}
          and _key in (select _key from affected_key) and _load_id >= {first_load}
        union all
        select 'quarantine', _key, load_id, _hash, payload, _cursor, false, _extracted_at,
               true, suite, expectation, reason, null
        from ops.quarantine where system = {system} and stream = {stream} and attribute is null
          and _key in (select _key from affected_key) and load_id >= {first_load} and not key_conflict
        union all
        select 'unchanged', unchanged._key, earliest[1], held._hash, held._payload, held._cursor, held._deleted,
               timestamptz 'epoch' + earliest[2] * interval '1 microsecond', true, null, null, null,
               held._withheld
        from unchanged left join lateral (
            select _hash, _payload, _cursor, _deleted, _withheld from {staging}
            where _key = unchanged._key and _load_id = unchanged._held
            union all
            select _hash, _payload, _cursor, _deleted, _withheld from staging.superseded
            where system = {system} and stream = {stream} and _key = unchanged._key and _load_id = unchanged._held
            limit 1
        ) held on true
    ),
    -- a version or quarantined row that the same load had first read unchanged is there twice
    single as (
        select distinct on (_key, _load_id) * from found order by _key, _load_id, kind = 'unchanged'
    )
    select single.*, row_number() over (partition by _key order by _load_id) as place,
           _deleted and _hash = decode(md5('gone' || _payload::text), 'hex') as snapshot_delete, replayed
    from single join included on load_id = _load_id
    """,
    """
    insert into reading
    (select 'before', _key, _load_id, _hash, _payload, _cursor, _deleted, _extracted_at, true, null, null, null,
            _withheld, null::bigint, false, false
    from affected_key cross join lateral (
        select _load_id, _hash, _payload, _cursor, _deleted, _extracted_at, _withheld from {staging} version
        where version._key = affected_key._key and version._load_id < {first_load} order by _load_id desc limit 1
    ) held)
    union all
    (select distinct on (_key) 'open_quarantine', _key, load_id, _hash, payload, _cursor, false, _extracted_at, true,
           suite, expectation, reason, null::jsonb, null::bigint, false, false
    from affected_key join ops.quarantine using (_key)
    where system = {system} and stream = {stream} and load_id < {first_load} and attribute is null
      and not key_conflict
      and (state = 'open' or (state <> 'rolled_back' and closed_by_load >= {first_load}))
    order by _key, load_id desc)
    """,
    "create unique index on reading (_key, _load_id)",
    "create index on reading (_key, place)",
    "analyze reading",
)
"""Of several unchanged readings of one record, the earliest counts: another one after it would write nothing."""

_RECOMPUTED = (
    """
    create temp table recomputed on commit drop as
    with recursive step as (
        select affected_key._key, 0::bigint as place, null::bigint as _load_id, false as written,
               null::bigint as closes, held._load_id as _held, held._load_id as _source, held._hash, held._cursor,
               held._deleted, held._extracted_at, pending._load_id as _open
        from affected_key
        left join reading held on held._key = affected_key._key and held.kind = 'before'
        left join reading pending on pending._key = affected_key._key and pending.kind = 'open_quarantine'
        union all
        select step._key, this.place, this._load_id, writes,
               case when closes_open then _open when outdated then this._load_id end,
               case when is_version then this._load_id else _held end,
               case when not is_version then _source when snapshot_delete then deletion._of else this._load_id end,
               case when not is_version then step._hash when snapshot_delete then deletion._hash else this._hash end,
               case when not is_version then step._cursor
                    when snapshot_delete and not {complete_group} then deletion._cursor else this._cursor end,
               case when is_version then this._deleted else step._deleted end,
               case when is_version then this._extracted_at else step._extracted_at end,
               case when writes and not is_version and not outdated then this._load_id
                    when not closes_open then _open end
        from step
        join reading this on this._key = step._key and this.place = step.place + 1
        left join lateral (
            select _of, _cursor, _payload, decode(md5('gone' || _payload::text), 'hex') as _hash from (
                select _source as _of, step._cursor, _payload from reading earlier
                where _held is not null and not step._deleted and earlier._key = step._key
                  and earlier._load_id = _source
                union all
                select _open, earlier._cursor, _payload from reading earlier
                where earlier._key = step._key and earlier._load_id = _open
                  and (_held is null or earlier._cursor >= step._cursor or earlier._cursor is null
                       or step._cursor is null)
            ) undeleted
            where not {complete_group} or _cursor < this._cursor
            order by _cursor desc nulls last, _hash desc limit 1  -- as load/change_detection.py reduces them
        ) deletion on snapshot_delete
        cross join lateral (
            select case
                when snapshot_delete then deletion._of is not null and deletion._hash is distinct from step._hash
                    and not exists (select from reading earlier where step._deleted and earlier._key = step._key
                        and earlier._load_id = _source and {earlier} = {deleted})
                when _held is null then true
                when replayed and {replaces_current} and exists (
                    select from reading earlier
                    where earlier._key = step._key and earlier._load_id = _source and earlier._withheld is not null
                ) then true
                when step._hash = this._hash then false
                when {replaces_current}
                then (select (step._deleted, {earlier}) is distinct from (this._deleted, {this}) from reading earlier
                      where earlier._key = step._key and earlier._load_id = _source)
                else false
            end as differs
        ) compared
        cross join lateral (
            select coalesce(differs, false) and not (
                this.suite is not null and not replayed and _open is not null and exists (
                    select from reading earlier where earlier._key = step._key and earlier._load_id = _open
                    and (earlier._hash = this._hash or {earlier} = {this})
                )
            ) as writes
        ) decided
        cross join lateral (select writes and this.suite is null as is_version) version
        cross join lateral (
            -- A snapshot's delete has the greatest cursor of what it deletes, the open row's among them.
            select writes and _open is not null and (snapshot_delete and not {complete_group} or coalesce((
                select {replaces_refused}
                from reading earlier where earlier._key = step._key and earlier._load_id = _open), true)) as closes_open
        ) open_row
        cross join lateral (
            select writes and not is_version and _open is not null and not closes_open as outdated
        ) older_than_open
    )
    select _key, _load_id, written, written and coalesce(_held = _load_id, false) as is_version, closes, _source,
           _hash, _cursor, _deleted, _extracted_at
    from step where place > 0
    """,
    "create unique index on recomputed (_key, _load_id)",
    "analyze recomputed",
)
"""Goes through each key's readings one by one: what is held (_held, with the content that load _source read) and
which load's row in quarantine is open (_open). A refused reading that is older than the open row is `outdated`: its own
load closes it. A replayed reading goes through the gate although its row is open. Hash, cursor and time are those of
the version."""
