"""Attribute-level lineage: which field of which stream, through which transform, makes which column."""

from __future__ import annotations

from dataclasses import dataclass

from onefold.catalog.entity import Entity


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """One field that makes an attribute. `field` is None where the catalogue says a constant."""

    system: str
    stream: str
    field: str | None
    transform: str


def column_lineage(entity: Entity) -> dict[str, tuple[Origin, ...]]:
    """The origins of every attribute of the entity, in the catalogue's order; for OpenLineage's columnLineage facet.

    The model mapped.<system>__<entity> is made from the origins with that system.
    """
    lineage: dict[str, tuple[Origin, ...]] = {}
    for name, attribute in entity.attributes.items():
        origins: list[Origin] = []
        for source, rule in attribute.sources.items():
            system, _, stream = source.partition(".")
            origins += [Origin(system, stream, field, rule.transform) for field in rule.fields or [None]]
        lineage[name] = tuple(origins)
    return lineage
