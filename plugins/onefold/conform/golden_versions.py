"""Writes an entity's candidates as the next versions of its golden records, in the caller's transaction."""

from __future__ import annotations

import json
from collections import Counter

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from onefold.catalog.entity import Entity
from onefold.conform.held_back import held_back_counts
from onefold.conform.report import EntityReport
from onefold.conform.search_indexes import ensure_search_indexes
from onefold.mapping.golden import identifiers, known_columns, provenance
from onefold.warehouse.rows import one_row

# What is new, what differs and what moved was computed by the build (_change, _previous_id) before: a statement that
# reads the table which it fills would read its own rows again and again.
# Each of the first three returns how many rows it ended or will insert, by the number of systems that they join.
_END_REMOVED = """
with removed as (
    update {version} as v set _ended_publish_id = {publish}, _merged_into = e.merged_into
    from {ended} as e where v.{id} = e.{id} and v._ended_publish_id is null
    returning cardinality(v._systems) as sources
) select sources, count(*) from removed group by sources"""
_END_CHANGED = """
with ended as (
    update {version} as v set _ended_publish_id = {publish}
    from {candidate} as c where c._change = 'changed' and v.{id} = c.{id} and v._ended_publish_id is null
    returning cardinality(v._systems) as sources
) select sources, count(*) from ended group by sources"""
_INSERTED = "select cardinality(_systems), count(*) from {candidate} where _change is not null group by 1"
_WRITE = (
    (
        "insert into {version} ({columns}, _publish_id) select {columns}, {publish} from {candidate}"
        " where _change is not null"
    ),
    """
    insert into {provenance} (_publish_id, attributes, sources)
    select {publish}, {attributes}, {sources} where not exists (
        select from (select * from {provenance} order by _publish_id desc limit 1) as newest
        where newest.attributes = {attributes} and newest.sources = {sources})""",
    """
    update {crosswalk} as v set _ended_publish_id = {publish}
    from (
        select record from {candidate_crosswalk} where _previous_id <> {id}
        union all
        select record from {changed} as c
        where not exists (select from {candidate_crosswalk} as x where x.record = c.record)
    ) as moved
    where v.record = moved.record and v._ended_publish_id is null""",
    """
    insert into {crosswalk} (record, system, stream, key, {id}, _publish_id)
    select record, system, stream, key, {id}, {publish} from {candidate_crosswalk}
    where _previous_id is distinct from {id}""",
    "delete from {identifier} as i using {changed} as c where i.record = c.record",
    "insert into {identifier} ({identifiers}) select {identifiers} from {candidate_identifier}",
    """
    update ops.identity_conflict as o set ended_publish_id = {publish}
    where o.entity = {entity} and o.ended_publish_id is null
        and (o.records[1] in (select record from {member}) or o.records[1] in (select record from {changed}))
        and not exists (select from {conflict} as c
            where c.identifier = o.identifier and c.reason = o.reason and c.records = o.records)""",
    """
    insert into ops.identity_conflict (publish_id, entity, identifier, reason, records)
    select {publish}, {entity}, identifier, reason, records from {conflict} as c
    where not exists (select from ops.identity_conflict as o where o.entity = {entity} and o.ended_publish_id is null
        and c.identifier = o.identifier and c.reason = o.reason and c.records = o.records)""",
)
_VERSION_COLUMNS = (
    "source_of_truth",
    "_systems",
    "_records",
    "_members",
    "_loads",
    "_mapping_versions",
    "_winning_members",
    "_hash",
)


def write_versions(
    connection: psycopg.Connection, entity: Entity, publish_id: int, before: EntityReport
) -> EntityReport:
    """Write the versions, the crosswalk and the identifiers of this publish; returns the entity's counts after it.

    A golden record gets a new version only when its content differs. `before` is the report of the newest publish:
    counts continue from there, so that counting costs only what changed.
    """
    parts = _parts(entity, publish_id)

    def counted(statement: str) -> Counter[int]:
        return Counter(dict(connection.execute(sql.SQL(statement).format(**parts)).fetchall()))

    removed = counted(_END_REMOVED)
    superseded = counted(_END_CHANGED)
    inserted = counted(_INSERTED)
    for statement in _WRITE:
        connection.execute(sql.SQL(statement).format(**parts))
    if not before.golden:
        create_indexes(connection, entity)
    ensure_search_indexes(connection, entity)
    (open_conflicts,) = one_row(
        connection.execute(
            "select count(*) from ops.identity_conflict where entity = %s and ended_publish_id is null",
            (entity.entity,),
        )
    )
    held_back, warnings = held_back_counts(connection, entity.entity)
    by_sources = Counter(before.by_sources)
    by_sources.update(inserted)
    by_sources.subtract(removed)
    by_sources.subtract(superseded)
    return EntityReport(
        entity=entity.entity,
        golden=before.golden + inserted.total() - removed.total() - superseded.total(),
        new=inserted.total() - superseded.total(),
        changed=superseded.total(),
        ended=removed.total(),
        conflicts=open_conflicts,
        held_back=held_back,
        warnings=warnings,
        by_sources={sources: count for sources, count in sorted(by_sources.items()) if count},
    )


def create_indexes(connection: psycopg.Connection, entity: Entity) -> None:
    """Create the indexes, and gather statistics, or the next publish would be planned as if there were no rows.

    Once the first publish's rows are inserted, an index costs a tenth of what filling it row by row would. No reader
    waits for it.
    """
    name = entity.entity
    version, crosswalk = f"conformed.{name}_version", f"conformed.{name}_crosswalk_version"
    known = f"mapped.{name}__identifier"
    live, ended = "_ended_publish_id is null", "_ended_publish_id is not null"
    indexes = [
        f"unique index if not exists {name}_version_pkey on {version} ({name}_id, _publish_id)",
        f"unique index if not exists {name}_version_live on {version} ({name}_id) where {live}",
        f"index if not exists {name}_version_by_publish on {version} (_publish_id)",
        f"index if not exists {name}_version_by_end on {version} (_ended_publish_id) where {ended}",
        f"unique index if not exists {name}_crosswalk_version_pkey on {crosswalk} (record, _publish_id)",
        f"unique index if not exists {name}_crosswalk_live on {crosswalk} (record) where {live}",
        f"index if not exists {name}_crosswalk_by_publish on {crosswalk} (_publish_id)",
        f"index if not exists {name}_crosswalk_by_end on {crosswalk} (_ended_publish_id) where {ended}",
        f"index if not exists {name}_crosswalk_by_id on {crosswalk} ({name}_id)",
        f"unique index if not exists {name}__identifier_pkey on {known} (record)",
        f"index if not exists {name}__identifier_by_load on {known} (_load_id)",
    ]
    indexes += [
        f"index if not exists {name}__identifier_by_{column} on {known} ({column}) where {column} is not null"
        for column in identifiers(entity)
    ]
    connection.execute("set local maintenance_work_mem = '256MB'")
    for index in indexes:  # names from the catalogue, whose reader checks them
        connection.execute(sql.SQL("create " + index))
    connection.execute(sql.SQL(f"analyze {version}, {crosswalk}, {known}"))


def _parts(entity: Entity, publish_id: int) -> dict[str, sql.Composable]:
    name = entity.entity
    sources = {
        attribute: {stream: json.loads(provenance(spec, stream)) for stream in spec.sources}
        for attribute, spec in entity.attributes.items()
    }
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
        "provenance": sql.Identifier("conformed", f"{name}_provenance"),
        "attributes": sql.SQL("{}::text[]").format(list(sources)),
        "sources": sql.SQL("{}::jsonb").format(Jsonb(sources)),
        "columns": sql.SQL(", ").join(map(sql.Identifier, [f"{name}_id", *entity.attributes, *_VERSION_COLUMNS])),
        "identifiers": sql.SQL(", ").join(map(sql.Identifier, known_columns(entity))),
        "publish": sql.Literal(publish_id),
        "entity": sql.Literal(name),
    }
