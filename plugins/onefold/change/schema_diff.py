"""What an edited catalogue changes in the warehouse's schema, and which marts read what it changes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import psycopg
from psycopg import sql

from onefold.change.content import SchemaChange
from onefold.change.project import Project
from onefold.conform.dry_run_schemas import VERSION
from onefold.mapping.entity_migration import losses, migration_text, what_changes
from onefold.mapping.generated import MARK
from onefold.mapping.table_changes import (
    Change,
    DroppedAttribute,
    DroppedEntity,
    RenamedAttribute,
    table_changes,
)
from onefold.mapping.table_layout import ALWAYS, TableLayout
from onefold.warehouse.rows import one_row
from onefold.warehouse.table_columns import table_columns


def diff_schema(connection: psycopg.Connection, project: Project, known: Collection[str]) -> SchemaChange:
    """Compare the tables that there are of the `known` entities, and of the catalogue's, with what it needs."""
    entities = project.catalog.entities
    made = dict(_made(connection, {*known, *entities}))
    changes = table_changes(made, entities)
    lost = {name: f"{loss} ({_values(connection, name):,} now)" for change in changes for name, loss in losses(change)}
    return SchemaChange(
        changes=tuple(what_changes(change) for change in changes),
        losses=lost,
        migration=migration_text(changes, entities) if changes else "",
        broken_marts=dict(_broken(dict(_marts(project)), changes)),
    )


def marts_of(project: Project, entities: Collection[str]) -> list[str]:
    """The marts that read any of the entities, sorted."""
    return sorted(name for name, text in _marts(project) if _reads(text, entities))


def _made(connection: psycopg.Connection, entities: Iterable[str]) -> Iterator[tuple[str, TableLayout]]:
    for name in sorted(entities):
        attributes = table_columns(connection, sql.Identifier("conformed", f"{name}_version"))
        if attributes:
            identifiers = table_columns(connection, sql.Identifier("mapped", f"{name}__identifier"))
            own = {f"{name}_id", *VERSION}
            yield (
                name,
                TableLayout(
                    {each: kind for each, kind in attributes.items() if each not in own},
                    {each: kind for each, kind in identifiers.items() if each not in ALWAYS},
                ),
            )


def _values(connection: psycopg.Connection, name: str) -> int:
    """How many published golden records there are of an entity, or have the attribute."""
    entity, _, attribute = name.partition(".")
    counted = sql.SQL("count({})").format(sql.Identifier(attribute)) if attribute else sql.SQL("count(*)")
    query = sql.SQL("select {} from {} where _ended_publish_id is null").format(
        counted, sql.Identifier("conformed", f"{entity}_version")
    )
    return int(one_row(connection.execute(query))[0])


def _marts(project: Project) -> Iterator[tuple[str, str]]:
    for path in sorted((project.root / "dbt_project" / "models" / "marts").glob("*.sql")):
        text = path.read_text("utf-8")
        if MARK not in text.partition("\n")[0]:
            yield path.stem, text


def _reads(text: str, entities: Collection[str]) -> bool:
    return any(re.search(rf"'conformed',\s*'{re.escape(name)}(_unmasked|_crosswalk)?'", text) for name in entities)


def _broken(marts: Mapping[str, str], changes: Sequence[Change]) -> Iterator[tuple[str, str]]:
    for name, text in marts.items():
        for change in changes:
            gone = _gone(change)
            if gone and _reads(text, [change.entity]) and re.search(rf"\b{re.escape(gone)}\b", text):
                yield name, f"{change.entity}.{gone}" if gone != change.entity else gone


def _gone(change: Change) -> str | None:
    """The name that is no longer there."""
    match change:
        case DroppedEntity(entity):
            return entity
        case DroppedAttribute(_, attribute):
            return attribute
        case RenamedAttribute(old=old):
            return old
    return None
