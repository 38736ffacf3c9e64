"""Turns an entity's candidates into the next versions. The caller's transaction makes all of it visible at once."""

from __future__ import annotations

from collections import Counter

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.conform.report import EntityReport
from onefold.mapping.golden import known_columns

# Each of the first three says how many rows it ended or made, by the number of systems that they join.
_END_GONE = """
with gone as (
    update {version} as v set _ended_publish_id = {publish}, _merged_into = e.merged_into
    from {ended} as e where v.{id} = e.{id} and v._ended_publish_id is null
    returning cardinality(v._systems) as sources
) select sources, count(*) from gone group by sources"""
_END_CHANGED = """
with ended as (
    update {version} as v set _ended_publish_id = {publish}
    from {candidate} as c where v.{id} = c.{id} and v._ended_publish_id is null and v._hash <> c._hash
    returning cardinality(v._systems) as sources
) select sources, count(*) from ended group by sources"""
_MAKE = """
with made as (
    insert into {version} ({columns}, _publish_id)
    select {columns}, {publish} from {candidate} as c
    where not exists (select from {version} as v where v.{id} = c.{id} and v._ended_publish_id is null)
    returning cardinality(_systems) as sources
) select sources, count(*) from made group by sources"""
_CROSSWALK = """
update {crosswalk} as v set _ended_publish_id = {publish}
where v._ended_publish_id is null
    and (v.record in (select record from {member}) or v.record in (select record from {changed}))
    and not exists (select from {candidate_crosswalk} as c where c.record = v.record and c.{id} = v.{id});
insert into {crosswalk} (record, system, stream, key, {id}, _publish_id)
select record, system, stream, key, {id}, {publish} from {candidate_crosswalk} as c
where not exists (select from {crosswalk} as v where v.record = c.record and v._ended_publish_id is null);
delete from {identifier} where record in (select record from {changed});
insert into {identifier} ({identifiers}) select {identifiers} from {candidate_identifier};
update ops.identity_conflict as o set ended_publish_id = {publish}
where o.entity = {entity} and o.ended_publish_id is null
    and (o.records[1] in (select record from {member}) or o.records[1] in (select record from {changed}))
    and not exists (select from {conflict} as c
        where c.identifier = o.identifier and c.reason = o.reason and c.records = o.records);
insert into ops.identity_conflict (publish_id, entity, identifier, reason, records)
select {publish}, {entity}, identifier, reason, records from {conflict} as c
where not exists (select from ops.identity_conflict as o where o.entity = {entity} and o.ended_publish_id is null
    and c.identifier = o.identifier and c.reason = o.reason and c.records = o.records)"""
_POINT = """
insert into ops.published (entity, publish_id, actor) values (%s, %s, %s)
on conflict (entity) do update set publish_id = excluded.publish_id, actor = excluded.actor, at = now()"""


def publish_entity(
    connection: psycopg.Connection, entity: Entity, publish_id: int, before: EntityReport
) -> EntityReport:
    """Write the versions, the crosswalk and the identifiers of this publish; return how the entity stands then.

    A golden record is versioned only when its content differs. `before` is the report of the newest publish: counts
    go on from there, so that reporting costs what changed as well.
    """
    parts = _parts(entity, publish_id)

    def counted(statement: str) -> Counter[int]:
        return Counter(dict(connection.execute(sql.SQL(statement).format(**parts)).fetchall()))

    gone = counted(_END_GONE)
    superseded = counted(_END_CHANGED)
    made = counted(_MAKE)
    for statement in _CROSSWALK.split(";"):
        connection.execute(sql.SQL(statement).format(**parts))
    open_conflicts = connection.execute(
        "select count(*) from ops.identity_conflict where entity = %s and ended_publish_id is null",
        (entity.entity,),
    ).fetchone()[0]
    by_sources = Counter(before.by_sources)
    by_sources.update(made)
    by_sources.subtract(gone)
    by_sources.subtract(superseded)
    return EntityReport(
        entity=entity.entity,
        golden=before.golden + made.total() - gone.total() - superseded.total(),
        new=made.total() - superseded.total(),
        changed=superseded.total(),
        ended=gone.total(),
        conflicts=open_conflicts,
        by_sources={sources: count for sources, count in sorted(by_sources.items()) if count},
    )


def point(connection: psycopg.Connection, entity: str, publish_id: int, actor: str) -> None:
    """Let analysts see this publish of the entity, from the caller's commit on."""
    connection.execute(_POINT, (entity, publish_id, actor))


def _parts(entity: Entity, publish_id: int) -> dict[str, sql.Composable]:
    name = entity.entity
    made = [f"{name}_id", *entity.attributes, "source_of_truth", "_systems", "_records", "_provenance"]
    tables = (
        "candidate",
        "candidate_crosswalk",
        "candidate_identifier",
        "member",
        "changed",
        "ended",
        "conflict",
    )
    return {
        **{table: sql.Identifier("mapped", f"{name}__{table}") for table in (*tables, "identifier")},
        "version": sql.Identifier("conformed", f"{name}_version"),
        "crosswalk": sql.Identifier("conformed", f"{name}_crosswalk_version"),
        "id": sql.Identifier(f"{name}_id"),
        "columns": sql.SQL(", ").join(map(sql.Identifier, [*made, "_mapping_version", "_hash"])),
        "identifiers": sql.SQL(", ").join(map(sql.Identifier, known_columns(entity))),
        "publish": sql.Literal(publish_id),
        "entity": sql.Literal(name),
    }
