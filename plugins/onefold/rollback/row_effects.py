"""Which rows of staging and quarantine a rollback removes, adds and replaces: found out, and counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import psycopg
from psycopg import sql

from onefold.rollback.stream_change import StreamChange
from onefold.warehouse.rows import one_row


@dataclass(frozen=True, slots=True)
class RowEffects:
    """How many rows a change of one stream removes and adds.

    `versions_removed` and `versions_restored` are of the loads whose state changes. `other_versions_…` are of the
    `other_loads`, which stay published but write something else now. `not_gated` readings must pass the gate before
    they can be written.
    """

    versions_removed: int
    versions_restored: int
    other_versions_removed: int
    other_versions_added: int
    records_removed: int
    records_changed: int
    records_added: int
    quarantine_removed: int
    quarantine_added: int
    not_gated: int
    other_loads: tuple[int, ...]


_VERSION_EFFECTS = """
create temp table version_effect on commit drop as
select coalesce(v._key, f._key) as _key, coalesce(v._load_id, f._load_id) as _load_id,
       case when f._key is null then 'removed' when v._key is null then 'added' else 'replaced' end as effect
from (
    select _key, _load_id, _hash from {staging}
    where _key in (select _key from affected_key) and _load_id >= {first_load}
) v
full join (select * from recomputed where is_version) f on f._key = v._key and f._load_id = v._load_id
where f._key is null or v._key is null or f._hash <> v._hash
"""
_QUARANTINE_EFFECTS = """
create temp table quarantine_effect on commit drop as
select coalesce(q._key, f._key) as _key, coalesce(q.load_id, f._load_id) as _load_id,
       case when f._key is null then 'removed' else 'added' end as effect
from (
    select _key, load_id from ops.quarantine
    where system = {system} and stream = {stream} and load_id >= {first_load} and not key_conflict
      and _key in (select _key from affected_key) and attribute is null
      and (state <> 'rolled_back' or ({restoring} and load_id = any ({loads})))
) q
full join (select * from recomputed where written and not is_version) f on f._key = q._key and f._load_id = q.load_id
where f._key is null or q._key is null
"""


def find_row_effects(connection: psycopg.Connection, change: StreamChange) -> RowEffects:
    """What apply_change() would do, after recompute_history() in the same transaction.

    Only the temporary tables `version_effect` and `quarantine_effect` are written.
    """
    connection.execute("drop table if exists pg_temp.version_effect, pg_temp.quarantine_effect")
    for statement in (_VERSION_EFFECTS, _QUARANTINE_EFFECTS):
        connection.execute(sql.SQL(statement).format(**change.names))
    connection.execute("create unique index on version_effect (_key, _load_id)")
    connection.execute("analyze version_effect")
    counts = Counter[tuple[str, str, bool]]()
    other_loads = set[int]()
    for table in ("version", "quarantine"):
        for effect, load_id, count in connection.execute(
            sql.SQL("select effect, _load_id, count(*) from {} group by 1, 2").format(
                sql.Identifier("pg_temp", f"{table}_effect")
            )
        ):
            counts[table, effect, load_id in change.loads] += count
            if load_id not in change.loads:
                other_loads.add(load_id)
    removed, changed, added = one_row(connection.execute(sql.SQL(_KEYS).format(**change.names)))
    not_gated = "select count(*) from recomputed join reading using (_key, _load_id) where written and not gated"
    return RowEffects(
        versions_removed=counts["version", "removed", True],
        versions_restored=counts["version", "added", True],
        other_versions_removed=counts["version", "removed", False],
        other_versions_added=counts["version", "added", False],
        records_removed=removed,
        records_changed=changed,
        records_added=added,
        quarantine_removed=counts["quarantine", "removed", True] + counts["quarantine", "removed", False],
        quarantine_added=counts["quarantine", "added", True] + counts["quarantine", "added", False],
        not_gated=one_row(connection.execute(not_gated))[0],
        other_loads=tuple(sorted(other_loads)),
    )


_KEYS = """
select count(*) filter (where before is not null and after is null),
       count(*) filter (where before is not null and after is not null and before <> after),
       count(*) filter (where before is null and after is not null)
from (
    select (select max(_load_id) from {staging} v where v._key = affected_key._key) as before,
           greatest(
               (select max(_load_id) from {staging} v where v._key = affected_key._key and _load_id < {first_load}),
               (select max(_load_id) from recomputed f where f._key = affected_key._key and is_version)
           ) as after
    from affected_key
) affected
"""
