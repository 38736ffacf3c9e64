"""What was written into SAP, as its services read it out again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.sap.model import Entity, EntityType, Property, Row, Value, midnight
from sandbox.sap.odata import ODataError
from sandbox.world.written import WrittenRow

_NOTHING: Entity = {"Edm.String": "", "Edm.Boolean": False}
_KEYS = {"Person": "", "OrdinalNumber": "1"}
_TICKS = re.compile(r"/Date\((-?\d+)(\+\d+)?\)/")


@dataclass(frozen=True, slots=True)
class Stamps:
    """The properties that tell when an entity was made and last changed: a date and a time, or one instant each."""

    created: tuple[str, ...]
    changed: tuple[str, ...]

    def values(self, row: WrittenRow) -> Entity:
        stamps: Entity = {}
        for names, at in ((self.created, row.created), (self.changed, row.modified)):
            whole = at.replace(microsecond=0)
            parts: tuple[Value, ...] = (midnight(whole), whole - midnight(whole)) if len(names) == 2 else (whole,)
            stamps |= dict(zip(names, parts, strict=True))
        return stamps


def written_row(
    sets: Mapping[str, EntityType],
    entity_set: str,
    row: WrittenRow,
    under: Entity,
    related: Callable[[str], list[Entity]],
    stamps: Stamps,
) -> Row:
    """The row as it is now: what was written, over what was there before it."""
    kind = sets[entity_set]
    entity = {**under, kind.keys[0]: row.key, **_own(kind, row.fields)}
    entity |= stamps.values(row)
    if row.base:  # when it was made is as it was
        entity |= {name: under[name] for name in stamps.created}
    if "IsMarkedForArchiving" in entity and row.deleted:
        entity["IsMarkedForArchiving"] = True

    def below(navigation: str) -> list[Entity]:
        return related(navigation) if row.base else list(_below(sets, kind, row, row.fields, navigation))

    return Row(entity, lambda: entity, below, f"W/\"'{row.modified:%Y%m%d%H%M%S}.{row.revision}'\"")


def empty(kind: EntityType) -> Entity:
    """An entity of which nothing was said."""
    return {prop.name: _NOTHING.get(prop.type) for prop in kind.properties}


def _own(kind: EntityType, fields: dict[str, Any]) -> Entity:
    return {name: parsed(kind.by_name[name], value) for name, value in fields.items() if name in kind.by_name}


def _below(
    sets: Mapping[str, EntityType], kind: EntityType, row: WrittenRow, fields: dict[str, Any], navigation: str
) -> Iterator[Entity]:
    """The entities that a navigation property leads to, from the row itself or from an entity below it."""
    for name, target in kind.navigations:
        for given in fields.get(name) or ():
            if name != navigation:
                yield from _below(sets, sets[target], row, given, navigation)
                continue
            keys = {key: _KEYS.get(key, row.key) for key in sets[target].keys}
            yield {**empty(sets[target]), **keys, **_own(sets[target], given)}


def parsed(prop: Property, value: Any) -> Value:
    """The property's value out of a body, in the form of version 2 or 4. Raises ODataError for another type's."""
    if value is None or (prop.type == "Edm.Boolean" and isinstance(value, bool)):
        return value
    if (
        prop.type in ("Edm.String", "Edm.Date")
        and isinstance(value, str)
        and len(value) <= (prop.max_length or len(value))
    ):
        return value
    if prop.type in ("Edm.DateTime", "Edm.DateTimeOffset") and isinstance(value, str):
        ticks = _TICKS.fullmatch(value)
        if ticks and (prop.type == "Edm.DateTimeOffset") == bool(ticks[2]):
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(ticks[1]))
        if not ticks and prop.type == "Edm.DateTimeOffset" and value.endswith("Z"):
            return datetime.fromisoformat(value)
    if prop.type == "Edm.Decimal" and isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        try:
            return Decimal(value)
        except InvalidOperation:
            pass
    raise ODataError(f"Property '{prop.name}' has an invalid value")
