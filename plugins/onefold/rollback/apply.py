"""Makes staging and quarantine what the fold says, by moving rows between them and what is kept aside."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import psycopg
from psycopg import sql

from onefold.rollback.stream_change import Change


@dataclass(frozen=True, slots=True)
class Settled:
    """How many rows settling moved (or would move), of the loads that come or go and of others, which stay.

    `moved_loads` are those others: they stay published but have written something else now.
    """

    versions_out: int
    versions_in: int
    versions_of_others_out: int
    versions_of_others_in: int
    keys_vanishing: int
    keys_earlier: int
    keys_new: int
    quarantined_out: int
    quarantined_in: int
    never_judged: int
    moved_loads: tuple[int, ...]


_EFFECT = """
create temp table effect on commit drop as
select coalesce(v._key, f._key) as _key, coalesce(v._load_id, f._load_id) as _load_id,
       case when f._key is null then 'out' when v._key is null then 'in' else 'mended' end as what
from (select _key, _load_id, _hash from {staging} where _key in (select _key from touched) and _load_id >= {first}) v
full join (select * from folded where good) f on f._key = v._key and f._load_id = v._load_id
where f._key is null or v._key is null or f._hash <> v._hash
"""
_REFUSED = """
create temp table refused on commit drop as
select coalesce(q._key, f._key) as _key, coalesce(q.load_id, f._load_id) as _load_id,
       case when f._key is null then 'out' else 'in' end as what
from (
    select _key, load_id from ops.quarantine
    where system = {system} and stream = {stream} and load_id >= {first} and _key in (select _key from touched)
      and (state <> 'rolled_back' or ({taken_in} and load_id = any ({loads})))
) q
full join (select * from folded where written and not good) f on f._key = q._key and f._load_id = q.load_id
where f._key is null or q._key is null
"""


def compare(connection: psycopg.Connection, change: Change) -> Settled:
    """What settling would do, after fold(); only the temporary tables `effect` and `refused` are written."""
    connection.execute("drop table if exists pg_temp.effect, pg_temp.refused")
    for statement in (_EFFECT, _REFUSED):
        connection.execute(sql.SQL(statement).format(**_names(change)))
    connection.execute("create unique index on effect (_key, _load_id)")
    connection.execute("analyze effect")
    counted = Counter[tuple[str, bool]]()
    moved = set[int]()
    for table in ("effect", "refused"):
        for what, load_id, count in connection.execute(
            sql.SQL("select what, _load_id, count(*) from {} group by 1, 2").format(sql.Identifier("pg_temp", table))
        ):
            counted[f"{table} {what}", load_id in change.loads] += count
            if load_id not in change.loads:
                moved.add(load_id)
    vanishing, earlier, new = connection.execute(sql.SQL(_KEYS).format(**_names(change))).fetchone()
    unjudged = "select count(*) from folded join observation using (_key, _load_id) where written and not judged"
    return Settled(
        versions_out=counted["effect out", True],
        versions_in=counted["effect in", True],
        versions_of_others_out=counted["effect out", False],
        versions_of_others_in=counted["effect in", False],
        keys_vanishing=vanishing,
        keys_earlier=earlier,
        keys_new=new,
        quarantined_out=counted["refused out", True] + counted["refused out", False],
        quarantined_in=counted["refused in", True] + counted["refused in", False],
        never_judged=connection.execute(unjudged).fetchone()[0],
        moved_loads=tuple(sorted(moved)),
    )


_KEYS = """
select count(*) filter (where held is not null and comes is null),
       count(*) filter (where held is not null and comes is not null and held <> comes),
       count(*) filter (where held is null and comes is not null)
from (
    select (select max(_load_id) from {staging} v where v._key = touched._key) as held,
           greatest(
               (select max(_load_id) from {staging} v where v._key = touched._key and _load_id < {first}),
               (select max(_load_id) from folded f where f._key = touched._key and good)
           ) as comes
    from touched
) every
"""


def settle(connection: psycopg.Connection, change: Change) -> None:
    """Make it so, after fold() and compare() in the same transaction: versions, quarantine, the ledger's counts.

    The caller holds the stream's lock. The loads' states are the caller's to change.
    """
    before = _counts(connection, change)
    affected = [load_id for (load_id,) in connection.execute("select distinct _load_id from effect")]
    names = {**_names(change), "affected": sql.Literal(affected)}
    for statement in (*_VERSIONS, *_QUARANTINE):
        connection.execute(sql.SQL(statement).format(**names))
    _drop_empty_parts(connection, change)
    _keep_counts(connection, change, before, _counts(connection, change))


def _names(change: Change) -> dict[str, sql.Composable]:
    return {
        **change.names,
        "superseded": sql.SQL(
            "system, stream, _key, _hash, _payload, _cursor, _deleted, _load_id, _extracted_at, gated, suite,"
            " expectation, reason"
        ),
    }


_VERSIONS = (
    """
    insert into staging.superseded ({superseded})
    select {system}, {stream}, _key, _hash, _payload, _cursor, _deleted, _load_id, _extracted_at, true, null, null, null
    from {staging} v join effect using (_key, _load_id) where what = 'out' and v._load_id = any ({affected})
    """,
    """
    delete from {staging} v using effect e
    where v._key = e._key and v._load_id = e._load_id and what = 'out' and v._load_id = any ({affected})
    """,
    """
    insert into {staging} (_key, _hash, _payload, _cursor, _deleted, _load_id, _extracted_at)
    select f._key, f._hash, theirs._payload, f._cursor, f._deleted, f._load_id, f._extracted_at
    from effect join folded f using (_key, _load_id)
    join observation theirs on theirs._key = f._key and theirs._load_id = f._source
    where what = 'in'
    """,
    """
    update {staging} v set _hash = f._hash, _payload = theirs._payload, _cursor = f._cursor
    from effect join folded f using (_key, _load_id)
    join observation theirs on theirs._key = f._key and theirs._load_id = f._source
    where what = 'mended' and v._key = f._key and v._load_id = f._load_id and v._load_id = any ({affected})
    """,
)
_QUARANTINE = (
    # taken out with its load, a row stays, closed; so does one that a replay has chosen, which ops.replay_row tells of;
    # another row of another load that would not have been there is set aside
    """
    update ops.quarantine set state = 'rolled_back', closed_at = now(),
        closed_by_load = case when _key is null then closed_by_load end
    where not {taken_in} and load_id = any ({loads}) and state <> 'rolled_back'
    """,
    """
    update ops.quarantine q set state = 'rolled_back', closed_at = now(), closed_by_load = null
    from refused r
    where q.system = {system} and q.stream = {stream} and r._key = q._key and r._load_id = q.load_id and what = 'out'
      and exists (select from ops.replay_row chosen where chosen.quarantine_id = q.quarantine_id)
    """,
    """
    insert into staging.superseded ({superseded})
    select {system}, {stream}, q._key, _hash, payload, _cursor, false, load_id, _extracted_at, true,
           suite, expectation, reason
    from ops.quarantine q join refused r on r._key = q._key and r._load_id = q.load_id
    where q.system = {system} and q.stream = {stream} and what = 'out' and ({taken_in} or load_id <> all ({loads}))
      and not exists (select from ops.replay_row chosen where chosen.quarantine_id = q.quarantine_id)
    """,
    """
    delete from ops.quarantine q using refused r
    where q.system = {system} and q.stream = {stream} and r._key = q._key and r._load_id = q.load_id and what = 'out'
      and ({taken_in} or load_id <> all ({loads}))
      and not exists (select from ops.replay_row chosen where chosen.quarantine_id = q.quarantine_id)
    """,
    """
    insert into ops.quarantine
        (load_id, system, stream, _key, _hash, payload, _cursor, _extracted_at, suite, expectation, reason)
    select r._load_id, {system}, {stream}, r._key, _hash, _payload, _cursor, _extracted_at, suite, expectation, reason
    from refused r join observation using (_key, _load_id)
    where what = 'in' and not exists (
        select from ops.quarantine q where q.load_id = r._load_id and q._key = r._key
    )
    """,
    # which row waits, and which was superseded by what
    """
    update ops.quarantine q
    set state = case when closer is null then 'open' when exists (
            select from ops.replay_row r
            where r.quarantine_id = q.quarantine_id and r.load_id = closer and r.outcome <> 'superseded'
        ) then 'replayed' else 'superseded' end,
        closed_by_load = closer,
        closed_at = case when closer is not null then coalesce(closed_at, now()) end
    from (
        select quarantine_id, f._load_id as closer
        from touched join ops.quarantine w using (_key)
        left join folded f on f._key = w._key and f.closes = w.load_id
        where w.system = {system} and w.stream = {stream}
          and ((load_id >= {first} and exists (select from folded g where g._key = w._key and g._load_id = w.load_id
                                               and g.written and not g.good))
               or exists (select from observation o where o._key = w._key and o._load_id = w.load_id
                          and o.origin = 'waiting'))
    ) due
    where due.quarantine_id = q.quarantine_id and (
        q.state = 'rolled_back' or closer is distinct from q.closed_by_load
        or (q.state = 'open') <> (closer is null)
    )
    """,
    # what has no key is not folded: a row comes back with its load, and is open again when what superseded it is gone
    """
    update ops.quarantine set state = case when closed_by_load is null then 'open' else 'superseded' end,
        closed_at = case when closed_by_load is not null then closed_at end
    where {taken_in} and load_id = any ({loads}) and _key is null and state = 'rolled_back'
    """,
    """
    update ops.quarantine set state = 'open', closed_at = null, closed_by_load = null, reopened_of_load = closed_by_load
    where not {taken_in} and closed_by_load = any ({loads}) and _key is null and state = 'superseded'
    """,
    """
    update ops.quarantine set state = 'superseded', closed_at = now(), closed_by_load = reopened_of_load,
        reopened_of_load = null
    where {taken_in} and reopened_of_load = any ({loads}) and _key is null and state = 'open'
    """,
    # what is written now is no longer kept aside
    """
    delete from staging.superseded a using folded f
    where f.written and a.system = {system} and a.stream = {stream} and a._key = f._key and a._load_id = f._load_id
    """,
)


def _drop_empty_parts(connection: psycopg.Connection, change: Change) -> None:
    """A large load is a table of its own (staging.attach_child_table): when all of it is gone, the table goes too."""
    for load_id in change.loads:
        part = sql.Identifier("staging", f"{change.table.name}__load_{load_id}")
        if connection.execute("select to_regclass(%s)", (part.as_string(connection),)).fetchone()[0] is None:
            continue
        if not connection.execute(sql.SQL("select exists (select from {})").format(part)).fetchone()[0]:
            connection.execute(sql.SQL("drop table {}").format(part))


Counts = dict[int, tuple[int, int, int, int]]
"""By load, of the keys in question: new, changed, deleted, quarantined."""


def _counts(connection: psycopg.Connection, change: Change) -> Counts:
    rows = connection.execute(
        sql.SQL(
            """
            select _load_id, sum(new)::bigint, sum(changed)::bigint, sum(gone)::bigint, sum(refused)::bigint from (
                select _load_id, (not known and not _deleted)::int as new, (known and not _deleted)::int as changed,
                       _deleted::int as gone, 0 as refused
                from (
                    select v._load_id, v._deleted, exists (
                        select from {staging} e where e._key = v._key and e._load_id < v._load_id
                    ) as known
                    from {staging} v where v._key in (select _key from touched) and v._load_id >= {first}
                ) versions
                union all
                select load_id, 0, 0, 0, 1 from ops.quarantine
                where system = {system} and stream = {stream} and load_id >= {first} and state <> 'rolled_back'
                  and _key in (select _key from touched)
            ) every group by 1
            """
        ).format(**_names(change))
    ).fetchall()
    return {load_id: (new, changed, deleted, refused) for load_id, new, changed, deleted, refused in rows}


def _keep_counts(connection: psycopg.Connection, change: Change, before: Counts, after: Counts) -> None:
    """The ledger says what each published load has written now; of one that was rolled back, what it had written."""
    nothing = (0, 0, 0, 0)
    for load_id in before.keys() | after.keys():
        was, is_now = before.get(load_id, nothing), after.get(load_id, nothing)
        if load_id in change.loads and change.to == "rolled_back":
            continue
        if load_id in change.loads:
            keyless = connection.execute(
                "select count(*) from ops.quarantine where load_id = %s and _key is null", (load_id,)
            ).fetchone()[0]
            connection.execute(
                "update ops.load set rows_new = %s, rows_changed = %s, rows_deleted = %s, rows_quarantined = %s"
                " where load_id = %s",
                (*is_now[:3], is_now[3] + keyless, load_id),
            )
        elif was != is_now:
            connection.execute(
                "update ops.load set rows_new = rows_new + %s, rows_changed = rows_changed + %s,"
                " rows_deleted = rows_deleted + %s, rows_quarantined = rows_quarantined + %s where load_id = %s",
                (*(b - a for a, b in zip(was, is_now, strict=True)), load_id),
            )
