"""The schemas of a dry run: staging as it would be if dry-run loads were published, where analysts have no right."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import psycopg
from psycopg import sql

from onefold.catalog.entity import Attribute, Entity
from onefold.load.ledger import Load
from onefold.mapping.golden import known_columns
from onefold.mapping.type_cast import cast
from onefold.warehouse.table_columns import table_columns
from onefold.warehouse.tables import StagingTable

PREFIX = "dry_run_"
"""Before the names of the warehouse's schemas."""
STAGING, MAPPED = f"{PREFIX}staging", f"{PREFIX}mapped"

_COLUMNS = sql.SQL("_key, _hash, _payload, _cursor, _deleted, _load_id, _extracted_at, _withheld")
_NO_VERSIONS = sql.SQL("select {} from staging.superseded where false").format(_COLUMNS)
_DRY_RUN_LOAD = sql.SQL(
    " union all select {columns} from {candidate} c where not exists (select from {refused} r where r._key = c._key)"
)


def create_staging_views(
    connection: psycopg.Connection, streams: Iterable[StagingTable], loads: Sequence[Load]
) -> None:
    """Create a view of each stream's versions, and one of the newest, with what the dry-run loads accepted."""
    for table in streams:
        versions = sql.SQL("select {} from {}").format(_COLUMNS, table.versions)
        if not table_columns(connection, table.versions):  # nothing of the stream was ever loaded
            versions = _NO_VERSIONS
        for load in loads:
            if (load.system, load.stream) == (table.system, table.stream):
                versions += _DRY_RUN_LOAD.format(
                    columns=_COLUMNS, candidate=load.tables.candidate, refused=load.tables.refused
                )
        view = sql.Identifier(STAGING, table.name)
        connection.execute(sql.SQL("create view {} as {}").format(view, versions))
        connection.execute(
            sql.SQL("create view {} as select distinct on (_key) * from {} order by _key, _load_id desc").format(
                sql.Identifier(STAGING, f"{table.name}__current"), view
            )
        )


def copy_mapped_tables(connection: psycopg.Connection, entity: Entity) -> None:
    """Copy the entity's mapped records, on which its incremental models build; of a model that has none yet, nothing.

    A column that the catalogue wants otherwise stays behind, as the migration drops it: dbt adds it anew.
    """
    for system in entity.systems:
        name = f"{system}__{entity.entity}"
        original, copy = sql.Identifier("mapped", name), sql.Identifier(MAPPED, name)
        columns = [
            column
            for column, kind in table_columns(connection, original).items()
            if column.startswith("_") or (column in entity.attributes and entity.attributes[column].type == kind)
        ]
        if columns:
            copied = sql.SQL(", ").join(map(sql.Identifier, columns))
            connection.execute(sql.SQL("create table {} as select {} from {}").format(copy, copied, original))
            connection.execute(sql.SQL("create unique index on {} (_record)").format(copy))
            connection.execute(sql.SQL("create index on {} (_load_id)").format(copy))
            connection.execute(sql.SQL("analyze {}").format(copy))


VERSION = {
    "source_of_truth": "text",
    "_systems": "text[]",
    "_records": "integer",
    "_members": "text[]",
    "_loads": "bigint[]",
    "_mapping_versions": "integer[]",
    "_winning_members": "integer[]",
    "_hash": "text",
    "_publish_id": "bigint",
    "_ended_publish_id": "bigint",
    "_merged_into": "uuid",
}
"""The columns of conformed.<entity>_version that are neither its id nor attributes, each with its SQL type."""
_CROSSWALK = {
    "record": 'text collate "C"',
    "system": "text",
    "stream": "text",
    "key": "text",
    "_publish_id": "bigint",
    "_ended_publish_id": "bigint",
}


def create_published_views(connection: psycopg.Connection, entity: Entity) -> None:
    """Create a view of each table that the entity is published in, with the columns that the catalogue gives it."""
    name = entity.entity
    golden_id = {f"{name}_id": "uuid"}
    version = sql.Identifier("conformed", f"{name}_version")
    there = table_columns(connection, version)
    attributes = {attribute: _as_migrated(attribute, each, there) for attribute, each in entity.attributes.items()}
    columns = _as_it_is(golden_id | VERSION, there) | attributes
    _create_view(connection, f"{name}_version", columns, version if there else None)
    for table, view, kinds in (
        (sql.Identifier("conformed", f"{name}_crosswalk_version"), f"{name}_crosswalk_version", golden_id | _CROSSWALK),
        (sql.Identifier("mapped", f"{name}__identifier"), f"{name}__identifier", known_columns(entity)),
    ):
        there = table_columns(connection, table)
        _create_view(connection, view, _as_it_is(kinds, there), table if there else None)


def _as_it_is(kinds: Mapping[str, str], there: Collection[str]) -> dict[str, sql.Composable]:
    """The columns of these SQL types as they are; NULL where there is none yet."""
    return {
        column: sql.Identifier(column) if column in there else sql.SQL("null::{}").format(sql.SQL(kind))
        for column, kind in kinds.items()
    }


def _as_migrated(name: str, attribute: Attribute, there: Mapping[str, str]) -> sql.Composable:
    """The attribute's published value, as the generated migration leaves it (mapping/entity_migration.py)."""
    column = name if name in there else attribute.renamed_from
    if column is None or column not in there:
        return sql.SQL("null::{}").format(sql.SQL(attribute.type))
    if there[column] == attribute.type:
        return sql.Identifier(column)
    return sql.SQL(cast(there[column], attribute.type).using.format(column=column))


def _create_view(
    connection: psycopg.Connection, name: str, columns: Mapping[str, sql.Composable], table: sql.Identifier | None
) -> None:
    """A view of the table; an empty one where there is no table yet."""
    selected = sql.SQL(", ").join(
        sql.SQL("{} as {}").format(value, sql.Identifier(column)) for column, value in columns.items()
    )
    of = sql.SQL("from {}").format(table) if table else sql.SQL("where false")
    connection.execute(sql.SQL("create view {} as select {} {}").format(sql.Identifier(MAPPED, name), selected, of))


def drop_published_views(connection: psycopg.Connection, entities: Iterable[Entity]) -> None:
    """Drop the views again: no migration could change a column that a view shows."""
    for entity in entities:
        names = (f"{entity.entity}_version", f"{entity.entity}_crosswalk_version", f"{entity.entity}__identifier")
        views = sql.SQL(", ").join(sql.Identifier(MAPPED, name) for name in names)
        connection.execute(sql.SQL("drop view if exists {} cascade").format(views))


def drop_tables(connection: psycopg.Connection) -> None:
    """Drop all that the last dry run created."""
    relations = connection.execute(
        "select relnamespace::regnamespace::text, relname, relkind = 'v' from pg_class"
        " where relnamespace = any (%s::regnamespace[]) and relkind in ('r', 'v')",
        ([STAGING, MAPPED],),
    ).fetchall()
    for schema, name, is_view in relations:
        kind = sql.SQL("view" if is_view else "table")
        connection.execute(sql.SQL("drop {} if exists {} cascade").format(kind, sql.Identifier(schema, name)))
