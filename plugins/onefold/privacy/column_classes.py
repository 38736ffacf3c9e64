"""Which columns of the warehouse's tables hold something personal of a row that is the person's own."""

from __future__ import annotations

from collections.abc import Mapping

from onefold.catalog.entity import Entity
from onefold.mapping.golden import identifiers
from onefold.privacy.personal_fields import PERSONAL, PersonalFields
from onefold.privacy.tables import WarehouseTable
from onefold.privacy.traders import IsNatural, is_persons

_FOLDED = ("name_key", "probabilistic_key", "name_prefix_key")
"""Columns of resolution made of names and addresses (mapping/golden.py)."""


def is_personal_column(
    table: WarehouseTable, fields: PersonalFields | None, natural: IsNatural, column: str, row: Mapping[str, object]
) -> bool:
    """Whether the column of an own row is personal."""
    if entity := table.entity:
        parts = entity.identity.composites.get(column, [column])
        return column in _FOLDED or any(
            _personal_attribute(entity, part) or is_persons(entity, natural, part, row) for part in parts
        )
    return fields is not None and column in {name.lower() for _, name in fields.personal}


def may_be_personal(table: WarehouseTable, column: str) -> bool:
    """Whether a phone number or a name that is found there may be the person's."""
    if table.entity and column in table.entity.attributes:
        return _personal_attribute(table.entity, column)
    return table.entity is None or column not in identifiers(table.entity)


def _personal_attribute(entity: Entity, name: str) -> bool:
    return name in entity.attributes and entity.attributes[name].personal in PERSONAL
