"""Past golden records. Every publish since the horizon can still be switched to, and so can the one that is visible.

What stays of an id for ever is which records had it and its first version without values: identity resolution asks for
both, how old an id is and how often a record's has changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.catalog.privacy import ClassRetention
from onefold.retention.purge import RowPurge, make_purge

_HORIZON = """
select least(old.publish_id, (select min(publish_id) from ops.published))
from (select max(publish_id) as publish_id from ops.publish where state = 'published' and ended_at < %s) old
where old.publish_id is not null
"""
_LATER = """
select v.{id}, v._publish_id from {version} v
where v._ended_publish_id <= {whole_since}
  and exists (select from {version} f where f.{id} = v.{id} and f._publish_id < v._publish_id)
"""
_FIRST = """
select v.{id}, v._publish_id from {version} v
where v._ended_publish_id <= {whole_since} and {has_value}
  and not exists (select from {version} f where f.{id} = v.{id} and f._publish_id < v._publish_id)
"""
_DELETE = """
delete from {version} v using ({due} limit {batch}) d where v.{id} = d.{id} and v._publish_id = d._publish_id
"""
_EMPTY = """
update {version} v set {no_values}, _hash = md5(gen_random_uuid()::text) from ({due} limit {batch}) d
where v.{id} = d.{id} and v._publish_id = d._publish_id
"""
ALL_VERSIONS = """
select count(*), (select p.ended_at from ops.publish p where p.publish_id = min(v._ended_publish_id)) from {version} v
where v._ended_publish_id is not null
"""
_NOTES = "select ctid from {notes} where entity = {entity} and ended_publish_id <= {whole_since}"
_DELETE_NOTES = "delete from {notes} where ctid = any (array({due} limit {batch}))"
_ALL_NOTES = """
select count(*), (select p.ended_at from ops.publish p where p.publish_id = min(n.ended_publish_id)) from {notes} n
where n.entity = {entity} and n.ended_publish_id is not null
"""


def golden_horizon(connection: psycopg.Connection, cutoff: datetime) -> int:
    """The oldest publish that stays whole: it and all later ones can be shown. 0 where none may go."""
    row = connection.execute(_HORIZON, (cutoff,)).fetchone()
    return row[0] or 0 if row else 0


def golden_purges(
    connection: psycopg.Connection, entity: Entity, periods: ClassRetention, now: datetime
) -> Iterator[RowPurge]:
    """What may be due of one entity."""
    name = entity.entity
    whole_since = golden_horizon(connection, now - periods.history)
    columns = [sql.Identifier(attribute) for attribute in entity.attributes]
    names: dict[str, sql.Composable] = {
        "entity": sql.Literal(name),
        "version": sql.Identifier("conformed", f"{name}_version"),
        "id": sql.Identifier(f"{name}_id"),
        "whole_since": sql.Literal(whole_since),
        "has_value": sql.SQL("num_nonnulls({}) > 0").format(
            sql.SQL(", ").join(sql.SQL("v.{}").format(column) for column in columns)
        ),
        "no_values": sql.SQL(", ").join(sql.SQL("{} = null").format(column) for column in columns),
    }
    yield make_purge("golden", name, periods.history, ALL_VERSIONS, _LATER, _DELETE, names)
    yield make_purge("golden", name, periods.history, ALL_VERSIONS, _FIRST, _EMPTY, names)
    for notes in ("golden_record_warning", "identity_conflict"):
        of_notes = {**names, "notes": sql.Identifier("ops", notes)}
        yield make_purge("golden", name, periods.history, _ALL_NOTES, _NOTES, _DELETE_NOTES, of_notes)


def record_horizon(connection: psycopg.Connection, entity: Entity, periods: ClassRetention, now: datetime) -> None:
    """Write down since which publish the entity is whole, before any of its past goes."""
    connection.execute(
        "insert into ops.golden_history (entity, whole_since) select %(entity)s, publish_id from ops.publish"
        " where publish_id = %(publish)s on conflict (entity) do update"
        " set whole_since = greatest(golden_history.whole_since, excluded.whole_since)",
        {"entity": entity.entity, "publish": golden_horizon(connection, now - periods.history)},
    )
