"""What differs between the tables that the migrations make and those that the catalogue needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from onefold.catalog.entity import Entity
from onefold.errors import Fatal
from onefold.mapping.table_layout import TableLayout, layout


@dataclass(frozen=True)
class NewEntity:
    """An entity that had no tables."""

    entity: str


@dataclass(frozen=True)
class DroppedEntity:
    """An entity that is no longer in the catalogue: its tables go."""

    entity: str


@dataclass(frozen=True)
class NewAttribute:
    """An attribute that needs a column."""

    entity: str
    attribute: str
    type: str


@dataclass(frozen=True)
class RenamedAttribute:
    """An attribute whose column gets another name; its values stay."""

    entity: str
    attribute: str
    old: str
    identifier: bool
    """Whether records are recognised by it."""


@dataclass(frozen=True)
class RetypedAttribute:
    """An attribute whose column gets another type."""

    entity: str
    attribute: str
    old: str
    type: str


@dataclass(frozen=True)
class DroppedAttribute:
    """An attribute that is no longer in the catalogue: its values go."""

    entity: str
    attribute: str


@dataclass(frozen=True)
class NewIdentifier:
    """A column by which records are recognised."""

    entity: str
    column: str
    type: str


@dataclass(frozen=True)
class DroppedIdentifier:
    """A column by which records are no longer recognised."""

    entity: str
    column: str


Change = (
    NewEntity
    | DroppedEntity
    | NewAttribute
    | RenamedAttribute
    | RetypedAttribute
    | DroppedAttribute
    | NewIdentifier
    | DroppedIdentifier
)


def table_changes(made: Mapping[str, TableLayout], entities: Mapping[str, Entity]) -> list[Change]:
    """The changes that lead from the tables that are made to those that the entities need, in the order to apply them.

    Raises Fatal when `renamed_from` names no attribute that there was.
    """
    changes: list[Change] = [DroppedEntity(name) for name in sorted(made.keys() - entities.keys())]
    for name in sorted(entities):
        changes += _of_entity(made[name], entities[name]) if name in made else [NewEntity(name)]
    return changes


def _of_entity(made: TableLayout, entity: Entity) -> Iterator[Change]:
    name, needed = entity.entity, layout(entity)
    renamed = dict(_renamed(made, entity))
    for old, new in renamed.items():
        yield RenamedAttribute(name, new, old, old in made.identifiers and new in needed.identifiers)
    attributes = {renamed.get(column, column): kind for column, kind in made.attributes.items()}
    for column in sorted(attributes.keys() - needed.attributes.keys()):
        yield DroppedAttribute(name, column)
    for column, kind in needed.attributes.items():
        if column not in attributes:
            yield NewAttribute(name, column, kind)
        elif attributes[column] != kind:
            yield RetypedAttribute(name, column, attributes[column], kind)
    identifiers = {
        renamed[column] if renamed.get(column) in needed.identifiers else column for column in made.identifiers
    }
    yield from (DroppedIdentifier(name, column) for column in sorted(identifiers - needed.identifiers.keys()))
    for column, kind in needed.identifiers.items():
        if column not in identifiers:
            yield NewIdentifier(name, column, kind)


def _renamed(made: TableLayout, entity: Entity) -> Iterator[tuple[str, str]]:
    for new, attribute in entity.attributes.items():
        old = attribute.renamed_from
        if old is None or new in made.attributes:  # it has been renamed already, or came under this name
            continue
        where = f"catalog/entities/{entity.entity}.yaml: attribute {new}: renamed_from"
        if old not in made.attributes:
            raise Fatal(f"{where} names {old}, which the entity did not have. Correct the name, or take the line out.")
        if old in entity.attributes:
            raise Fatal(f"{where} names {old}, which is still under attributes. Take one of the two out.")
        yield old, new
