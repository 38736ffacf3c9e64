"""What the warehouse knows of golden records that are to be written: their values, and their records in the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from onefold.catalog.target import Target, TargetObject
from onefold.connectors.outbound.contract import Value

_VALUES = "select {id} as id, {attributes} from {version} where {id} = any (%s) and _ended_publish_id is null"
_KEYS = """
select {id}, array_agg(distinct key order by key) from {crosswalk}
where {id} = any (%s) and system = %s and stream = %s and _ended_publish_id is null group by 1
"""
_WRITTEN = """
select golden_id, target_key from (
    select distinct on (golden_id) golden_id, target_key, change = 'delete' and state = 'confirmed' as deleted
    from ops.outbox where target = %s and object = %s and golden_id = any (%s) and target_key is not null
    order by golden_id, intent_id desc) as newest
where not deleted
"""
_MADE = """
select distinct golden_id from ops.outbox
where target = %s and object = %s and golden_id = any (%s) and change = 'create' and target_key is not null
"""
_DELETED = """
select golden_id, target_key from ops.outbox
where target = %s and object = %s and golden_id = any (%s) and change = 'delete' and state = 'confirmed'
"""
_OWNERS = """
select key, {id} from {crosswalk} where key = any (%s) and system = %s and stream = %s and _ended_publish_id is null
"""
# Since when the golden record has its value: the publish after the last one at which it had another.
_SINCE = """
select v.{id}, min(p.ended_at)
from {version} as v join {version} as live on live.{id} = v.{id} and live._ended_publish_id is null
    join ops.publish as p on p.publish_id = v._publish_id
where v.{id} = any (%s) and v.{attribute} is not distinct from live.{attribute} and not exists (
    select from {version} as other where other.{id} = v.{id} and other._publish_id > v._publish_id
        and other.{attribute} is distinct from live.{attribute})
group by 1
"""


@dataclass(frozen=True, slots=True)
class Golden:
    """One golden record; one that has ended has no values. `keys` are those of its records in the target; `since` says
    of attributes, where a rule asks, since when it has the value; `made`: we have made a record of it there. Its repr
    shows no values."""

    golden_id: UUID
    values: Mapping[str, Value] = field(repr=False)
    keys: tuple[str, ...] = ()
    since: Mapping[str, datetime] = field(default_factory=dict)
    made: bool = False


def read_golden(connection: psycopg.Connection, target: Target, name: str, ids: Sequence[UUID]) -> dict[UUID, Golden]:
    """The golden records of these ids, as an object of the target needs them.

    A record of the target that we have written is known by its key before its system's sync has brought it; one that we
    have deleted is no longer, before the sync has missed it.
    """
    each = target.objects[name]
    parts = _parts(each)
    wanted = list(ids)
    with connection.cursor(row_factory=dict_row) as cursor:
        rows: list[dict[str, Any]] = cursor.execute(sql.SQL(_VALUES).format(**parts), (wanted,)).fetchall()
    keys: dict[UUID, tuple[str, ...]] = {}
    written = connection.execute(_WRITTEN, (target.target, name, wanted)).fetchall()
    keys.update({golden_id: (key,) for golden_id, key in written})
    if each.stream is not None:
        known = connection.execute(sql.SQL(_KEYS).format(**parts), (wanted, target.system, each.stream)).fetchall()
        keys.update({golden_id: tuple(found) for golden_id, found in known})
    deleted = set(connection.execute(_DELETED, (target.target, name, wanted)).fetchall())
    made = {golden_id for (golden_id,) in connection.execute(_MADE, (target.target, name, wanted)).fetchall()}
    since = _since(connection, each, parts, wanted)
    live = {row["id"]: row for row in rows}
    return {
        golden_id: Golden(
            golden_id,
            {attribute: live[golden_id][attribute] for attribute in each.attributes} if golden_id in live else {},
            tuple(key for key in keys.get(golden_id, ()) if (golden_id, key) not in deleted),
            {attribute: at[golden_id] for attribute, at in since.items() if golden_id in at},
            golden_id in made,
        )
        for golden_id in wanted
    }


def owners_of(connection: psycopg.Connection, target: Target, name: str, keys: Sequence[str]) -> dict[str, UUID]:
    """The golden record that each of the target's records belongs to, by its key; without those of none."""
    each = target.objects[name]
    if each.stream is None:
        return {}
    query = sql.SQL(_OWNERS).format(**_parts(each))
    return dict(connection.execute(query, (list(keys), target.system, each.stream)).fetchall())


def _parts(each: TargetObject) -> dict[str, sql.Composable]:
    return {
        "id": sql.Identifier(f"{each.entity}_id"),
        "attributes": sql.SQL(", ").join(map(sql.Identifier, each.attributes)),
        "version": sql.Identifier("conformed", f"{each.entity}_version"),
        "crosswalk": sql.Identifier("conformed", f"{each.entity}_crosswalk_version"),
    }


def _since(
    connection: psycopg.Connection, each: TargetObject, parts: Mapping[str, sql.Composable], ids: list[UUID]
) -> dict[str, dict[UUID, datetime]]:
    found: dict[str, dict[UUID, datetime]] = {}
    for attribute in {spec.attribute for spec in each.fields.values() if spec.rule == "newest"}:
        query = sql.SQL(_SINCE).format(**parts, attribute=sql.Identifier(attribute))
        found[attribute] = dict(connection.execute(query, (ids,)).fetchall())
    return found
