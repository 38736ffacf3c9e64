"""Attribute-level lineage: which field of which stream, through which transform, makes which column."""

from __future__ import annotations

from dataclasses import dataclass

from onefold.catalog.entity import Entity


@dataclass(frozen=True, slots=True, order=True)
class InputField:
    """One field that makes an attribute. `field` is None where the catalogue says a constant."""

    system: str
    stream: str
    field: str | None
    transform: str


def column_lineage(entity: Entity) -> dict[str, tuple[InputField, ...]]:
    """The inputs of every attribute of the entity, in the catalogue's order; for OpenLineage's columnLineage facet.

    The model mapped.<system>__<entity> is made from the inputs with that system.
    """
    lineage: dict[str, tuple[InputField, ...]] = {}
    for name, attribute in entity.attributes.items():
        inputs: list[InputField] = []
        for source, rule in attribute.sources.items():
            system, _, stream = source.partition(".")
            fields: list[str | None] = [*rule.inputs] or [None]
            inputs += [InputField(system, stream, field, rule.transform) for field in fields]
        lineage[name] = tuple(inputs)
    return lineage
