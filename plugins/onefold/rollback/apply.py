"""Writes what was recomputed: moves rows between staging, quarantine and the superseded readings."""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.rollback.load_counts import count_rows, update_load_counts
from onefold.rollback.stream_change import StreamChange
from onefold.rollback.withheld import recompute_withheld
from onefold.warehouse.rows import one_row


def apply_change(connection: psycopg.Connection, change: StreamChange) -> None:
    """Write versions, quarantine and the ledger's counts, after recompute_history() and find_row_effects().

    All three run in the same transaction, and the caller holds the stream's lock. The loads' states are set by
    restore_stream_state().
    """
    before = count_rows(connection, change)
    affected = [load_id for (load_id,) in connection.execute("select distinct _load_id from version_effect")]
    names = {**change.names, "affected": sql.Literal(affected), "reading_columns": _READING_COLUMNS}
    for statement in (*_VERSIONS, *_QUARANTINE):
        connection.execute(sql.SQL(statement).format(**names))
    recompute_withheld(connection, change)
    _drop_empty_child_tables(connection, change)
    update_load_counts(connection, change, before, count_rows(connection, change))


_READING_COLUMNS = sql.SQL(
    "system, stream, _key, _hash, _payload, _cursor, _deleted, _load_id, _extracted_at, gated, suite,"
    " expectation, reason, _withheld"
)
_VERSIONS = (
    """
    insert into staging.superseded ({reading_columns})
    select {system}, {stream}, _key, _hash, _payload, _cursor, _deleted, _load_id, _extracted_at, true, null, null,
           null, _withheld
    from {staging} v join version_effect using (_key, _load_id)
    where effect = 'removed' and v._load_id = any ({affected})
    """,
    """
    delete from {staging} v using version_effect e
    where v._key = e._key and v._load_id = e._load_id and effect = 'removed' and v._load_id = any ({affected})
    """,
    """
    insert into {staging} (_key, _hash, _payload, _cursor, _deleted, _load_id, _extracted_at, _withheld)
    select f._key, f._hash, content._payload, f._cursor, f._deleted, f._load_id, f._extracted_at,
           case when not f._deleted then content._withheld end
    from version_effect join recomputed f using (_key, _load_id)
    join reading content on content._key = f._key and content._load_id = f._source
    where effect = 'added'
    """,
    """
    update {staging} v set _hash = f._hash, _payload = content._payload, _cursor = f._cursor,
        _withheld = case when not f._deleted then content._withheld end
    from version_effect join recomputed f using (_key, _load_id)
    join reading content on content._key = f._key and content._load_id = f._source
    where effect = 'replaced' and v._key = f._key and v._load_id = f._load_id and v._load_id = any ({affected})
    """,
)
_QUARANTINE = (
    # A row of a load that is rolled back stays, closed; so does one that a replay has selected, because ops.replay_row
    # refers to it. Any other row that would not have been there moves to the superseded readings.
    """
    update ops.quarantine set state = 'rolled_back', closed_at = now(),
        closed_by_load = case when _key is null or key_conflict then closed_by_load end
    where not {restoring} and load_id = any ({loads}) and state <> 'rolled_back'
    """,
    """
    update ops.quarantine q set state = 'rolled_back', closed_at = now(), closed_by_load = null
    from quarantine_effect r
    where q.system = {system} and q.stream = {stream} and r._key = q._key and r._load_id = q.load_id
      and effect = 'removed' and q.attribute is null
      and exists (select from ops.replay_row chosen where chosen.quarantine_id = q.quarantine_id)
    """,
    """
    insert into staging.superseded ({reading_columns})
    select {system}, {stream}, q._key, _hash, payload, _cursor, false, load_id, _extracted_at, true,
           suite, expectation, reason, null
    from ops.quarantine q join quarantine_effect r on r._key = q._key and r._load_id = q.load_id
    where q.system = {system} and q.stream = {stream} and effect = 'removed' and q.attribute is null
      and ({restoring} or load_id <> all ({loads}))
      and not exists (select from ops.replay_row chosen where chosen.quarantine_id = q.quarantine_id)
    """,
    """
    delete from ops.quarantine q using quarantine_effect r
    where q.system = {system} and q.stream = {stream} and r._key = q._key and r._load_id = q.load_id
      and effect = 'removed' and q.attribute is null
      and ({restoring} or load_id <> all ({loads}))
      and not exists (select from ops.replay_row chosen where chosen.quarantine_id = q.quarantine_id)
    """,
    """
    insert into ops.quarantine
        (load_id, system, stream, _key, _hash, payload, _cursor, _extracted_at, suite, expectation, reason)
    select r._load_id, {system}, {stream}, r._key, _hash, _payload, _cursor, _extracted_at, suite, expectation, reason
    from quarantine_effect r join reading using (_key, _load_id)
    where effect = 'added' and not exists (
        select from ops.quarantine q
        where q.load_id = r._load_id and q._key = r._key and q.attribute is null and not q.key_conflict
    )
    """,
    # Which rows are open, and which load closed the others.
    """
    update ops.quarantine q
    set state = case when closed_by is null then 'open' when exists (
            select from ops.replay_row r
            where r.quarantine_id = q.quarantine_id and r.load_id = closed_by and r.outcome <> 'superseded'
        ) then 'replayed' else 'superseded' end,
        closed_by_load = closed_by,
        closed_at = case when closed_by is not null then coalesce(closed_at, now()) end
    from (
        select quarantine_id, f._load_id as closed_by
        from affected_key join ops.quarantine w using (_key)
        left join recomputed f on f._key = w._key and f.closes = w.load_id
        where w.system = {system} and w.stream = {stream} and w.attribute is null and not w.key_conflict
          and ((load_id >= {first_load} and exists (select from recomputed g where g._key = w._key
                                               and g._load_id = w.load_id and g.written and not g.is_version))
               or exists (select from reading o where o._key = w._key and o._load_id = w.load_id
                          and o.kind = 'open_quarantine'))
    ) due
    where due.quarantine_id = q.quarantine_id and (
        q.state = 'rolled_back' or closed_by is distinct from q.closed_by_load
        or (q.state = 'open') <> (closed_by is null)
    )
    """,
    # Rows without a key, or in conflict with others of their key, are not recomputed: they come back with their load,
    # and open again when the load that closed them is rolled back.
    """
    update ops.quarantine set state = case when closed_by_load is null then 'open' else 'superseded' end,
        closed_at = case when closed_by_load is not null then closed_at end
    where {restoring} and load_id = any ({loads}) and (_key is null or key_conflict) and state = 'rolled_back'
    """,
    """
    update ops.quarantine set state = 'open', closed_at = null, closed_by_load = null, reopened_of_load = closed_by_load
    where not {restoring} and closed_by_load = any ({loads}) and (_key is null or key_conflict) and state = 'superseded'
    """,
    """
    update ops.quarantine set state = 'superseded', closed_at = now(), closed_by_load = reopened_of_load,
        reopened_of_load = null
    where {restoring} and reopened_of_load = any ({loads}) and (_key is null or key_conflict) and state = 'open'
    """,
    # A reading that is written now is no longer superseded.
    """
    delete from staging.superseded a using recomputed f
    where f.written and a.system = {system} and a.stream = {stream} and a._key = f._key and a._load_id = f._load_id
    """,
)


def _drop_empty_child_tables(connection: psycopg.Connection, change: StreamChange) -> None:
    """A large load is a table of its own (load/staging.py); when all its rows are gone, the table is dropped too."""
    for load_id in change.loads:
        child = sql.Identifier("staging", f"{change.table.name}__load_{load_id}")
        if one_row(connection.execute("select to_regclass(%s)", (child.as_string(connection),)))[0] is None:
            continue
        if not one_row(connection.execute(sql.SQL("select exists (select from {})").format(child)))[0]:
            connection.execute(sql.SQL("drop table {}").format(child))
