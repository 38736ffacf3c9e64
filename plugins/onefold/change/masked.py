"""Which attributes a plan shows no values of: an edit may not make readable what it is asked about."""

from __future__ import annotations

import psycopg

from onefold.catalog.entity import Entity
from onefold.catalog.reader import Catalog
from onefold.mapping.golden import PERSONAL, personal_attributes

_IN_FORCE = (
    "select distinct attribute from ops.mapping where valid_to is null and entity = %s and personal_class = any (%s)"
)


def masked_attributes(connection: psycopg.Connection, catalog: Catalog, entity: Entity) -> frozenset[str]:
    """Those that are personal by the edited catalogue, by the mapping in force, or by a field that they read."""
    in_force = connection.execute(_IN_FORCE, (entity.entity, list(PERSONAL))).fetchall()
    read = {
        name
        for name, attribute in entity.attributes.items()
        for source, rule in attribute.sources.items()
        if any(_is_personal(catalog, source, field) for field in rule.fields)
    }
    renamed = {name for name, each in entity.attributes.items() if each.renamed_from in {old for (old,) in in_force}}
    return frozenset({*personal_attributes(entity), *(name for (name,) in in_force), *read, *renamed})


def _is_personal(catalog: Catalog, source: str, field: str) -> bool:
    system, _, stream = source.partition(".")
    return catalog.systems[system].streams[stream].fields[field].personal in PERSONAL
