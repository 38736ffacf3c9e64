"""The numbered migration that brings the entities' tables to what the catalogue says, and what would be lost by it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from onefold.catalog.entity import Entity
from onefold.errors import Fatal
from onefold.mapping.golden import tables_sql
from onefold.mapping.sql import literal
from onefold.mapping.table_changes import (
    Change,
    DroppedAttribute,
    DroppedEntity,
    DroppedIdentifier,
    NewAttribute,
    NewEntity,
    NewIdentifier,
    RenamedAttribute,
    RetypedAttribute,
    table_changes,
)
from onefold.mapping.table_layout import SNAPSHOT, layout, read_snapshot, snapshot_text
from onefold.mapping.type_cast import cast

FOLDER = "plugins/onefold/warehouse/migrations"
_HEAD = (
    "-- {what}. Written by bin/onefold generate; change it before it is applied, never after.\n"
    "-- The views are made again by repeatable/5x_conformed__<entity>.sql, marts that read them by the next publish.\n"
)


def migration_files(entities: Mapping[str, Entity], root: Path) -> dict[str, str]:
    """Path below `root` and text of the migration that is missing and of the snapshot after it; empty when none is."""
    changes = table_changes(read_snapshot(root), entities)
    if not changes:
        return {}
    text = migration_text(changes, entities)
    layouts = {name: layout(entity) for name, entity in entities.items()}
    return {f"{FOLDER}/{_next_number(root):04}_{_slug(changes)}.sql": text, SNAPSHOT: snapshot_text(layouts)}


def migration_text(changes: Sequence[Change], entities: Mapping[str, Entity]) -> str:
    """The statements of the migration that makes these changes, with what it does in its first line."""
    what = ", ".join(what_changes(change) for change in changes)
    statements = "\n".join(_statements(change, entities) for change in changes)
    return f"{_HEAD.format(what=what[0].upper() + what[1:])}\n{_drop_views(changes)}{statements}"


def refuse_losses(entities: Mapping[str, Entity], root: Path, accepted: Collection[str]) -> None:
    """Raises Fatal, naming what would be lost, unless it was accepted by name ("customer.fax", or "customer")."""
    changes = table_changes(read_snapshot(root), entities)
    lost = {name: loss for change in changes for name, loss in losses(change)}
    if refused := {name: loss for name, loss in lost.items() if name not in accepted}:
        names = " ".join(f"--accept-loss {name}" for name in refused)
        listed = "\n".join(f"  {name}: {loss}" for name, loss in refused.items())
        raise Fatal(
            f"The catalogue has changed so that golden records would lose values:\n{listed}\nNothing was written. "
            "An attribute with a new name keeps its values when its YAML says renamed_from. To accept the loss: "
            f"bin/onefold generate {names}"
        )


def losses(change: Change) -> Iterable[tuple[str, str]]:
    """What the change deletes or cannot keep: the entity or entity.attribute, and what becomes of its values."""
    match change:
        case DroppedEntity(entity):
            yield (
                entity,
                "no longer in the catalogue: all its golden records and their history are deleted",
            )
        case DroppedAttribute(entity, attribute):
            yield f"{entity}.{attribute}", "no longer in the catalogue: its values are deleted from every version"
        case RetypedAttribute(entity, attribute, old, kind):
            if loss := cast(old, kind).loss:
                yield f"{entity}.{attribute}", f"{old} becomes {kind}: {loss}"


def what_changes(change: Change) -> str:
    """The change in words: 'adds customer.fax'."""
    match change:
        case NewEntity(entity):
            return f"adds {entity}"
        case DroppedEntity(entity):
            return f"drops {entity}"
        case NewAttribute(entity, attribute, _):
            return f"adds {entity}.{attribute}"
        case RenamedAttribute(entity, attribute, old, _):
            return f"renames {entity}.{old} to {attribute}"
        case RetypedAttribute(entity, attribute, _, kind):
            return f"makes {entity}.{attribute} {kind}"
        case DroppedAttribute(entity, attribute):
            return f"drops {entity}.{attribute}"
        case NewIdentifier(entity, column, _):
            return f"recognises {entity} by {column}"
        case DroppedIdentifier(entity, column):
            return f"no longer recognises {entity} by {column}"


def _statements(change: Change, entities: Mapping[str, Entity]) -> str:
    match change:
        case NewEntity(entity):
            return tables_sql(entities[entity])
        case DroppedEntity(entity):
            return _drop_entity(entity)
        case NewAttribute(entity, attribute, kind):
            return f"alter table conformed.{entity}_version add column if not exists {attribute} {kind};\n"
        case RenamedAttribute():
            return _rename(change)
        case RetypedAttribute(entity, attribute, old, kind):
            using = cast(old, kind).using.format(column=attribute)
            # The next conform run maps every record of the entity again, with the new type.
            mapped = "".join(
                f"alter table if exists mapped.{system}__{entity} drop column if exists {attribute};\n"
                for system in entities[entity].systems
            )
            # The next publish makes the indexes of the search anew: they may be over it as a text.
            return (
                f"drop index if exists conformed.{entity}_version_search, conformed.{entity}_version_search_people;\n"
                f"alter table conformed.{entity}_version alter column {attribute} type {kind} using {using};\n{mapped}"
            )
        case DroppedAttribute(entity, attribute):
            return f"alter table conformed.{entity}_version drop column if exists {attribute};\n"
        case NewIdentifier(entity, column, kind):
            return (
                f"alter table mapped.{entity}__identifier add column if not exists {column} {kind};\n"
                f"create index if not exists {entity}__identifier_by_{column}\n"
                f"    on mapped.{entity}__identifier ({column}) where {column} is not null;\n"
            )
        case DroppedIdentifier(entity, column):
            return f"alter table mapped.{entity}__identifier drop column if exists {column};\n"


def _rename(change: RenamedAttribute) -> str:
    """The values keep their provenance: conformed.<entity>_provenance has it by the attribute's name."""
    entity, old, new = change.entity, change.old, change.attribute
    text = (
        f"alter table conformed.{entity}_version rename column {old} to {new};\n"
        f"update conformed.{entity}_provenance set\n"
        f"    attributes = array_replace(attributes, {literal(old)}, {literal(new)}),\n"
        f"    sources = case when sources ? {literal(old)}\n"
        f"        then (sources - {literal(old)}) || jsonb_build_object({literal(new)}, sources -> {literal(old)})\n"
        f"        else sources end\n"
        f"where {literal(old)} = any (attributes);\n"
    )
    if change.identifier:
        text += (
            f"alter table mapped.{entity}__identifier rename column {old} to {new};\n"
            f"alter index if exists mapped.{entity}__identifier_by_{old} rename to {entity}__identifier_by_{new};\n"
            f"update ops.identity_conflict set identifier = {literal(new)}\n"
            f"where entity = {literal(entity)} and identifier = {literal(old)};\n"
        )
    return text


def _drop_entity(entity: str) -> str:
    tables = f"conformed.{entity}_version, conformed.{entity}_crosswalk_version, conformed.{entity}_provenance"
    return (
        f"drop view if exists conformed.{entity}, conformed.{entity}_unmasked, conformed.{entity}_history,\n"
        f"    conformed.{entity}_crosswalk cascade;\n"
        f"drop table if exists {tables}, mapped.{entity}__identifier;\n"
        f"delete from ops.published where entity = {literal(entity)};\n"
    )


def _drop_views(changes: Sequence[Change]) -> str:
    """A view keeps its columns' types and names: it is dropped first and made again by its repeatable file. Those of a
    dry run that died (conform/dry_run_schemas.py) are not made again."""
    rebuilt = {
        each.entity for each in changes if isinstance(each, RenamedAttribute | RetypedAttribute | DroppedAttribute)
    }
    left = [
        f"drop view if exists dry_run_mapped.{entity}_version, dry_run_mapped.{entity}_crosswalk_version,\n"
        f"    dry_run_mapped.{entity}__identifier cascade;\n"
        for entity in sorted({each.entity for each in changes if not isinstance(each, NewEntity)})
    ]
    views = [
        f"drop view if exists conformed.{entity}, conformed.{entity}_unmasked, conformed.{entity}_history cascade;\n"
        for entity in sorted(rebuilt)
    ]
    return "".join([*left, *views])


def _slug(changes: Sequence[Change]) -> str:
    """For the file's name: the entity, and what is done when it is one thing only."""
    names = sorted({change.entity for change in changes})
    if len(names) > 1:
        return "entities"
    verbs = {
        NewEntity: "new",
        DroppedEntity: "dropped",
        NewAttribute: "new",
        RenamedAttribute: "renamed",
        RetypedAttribute: "retyped",
        DroppedAttribute: "dropped",
    }
    match changes:
        case [NewEntity() | DroppedEntity() as only]:
            return f"{names[0]}_{verbs[type(only)]}"
        case [NewAttribute() | RenamedAttribute() | RetypedAttribute() | DroppedAttribute() as only]:
            return f"{names[0]}_{only.attribute}_{verbs[type(only)]}"
    return f"{names[0]}_changed"


def _next_number(root: Path) -> int:
    return 1 + max((int(path.name[:4]) for path in (root / FOLDER).glob("[0-9]*.sql")), default=0)
