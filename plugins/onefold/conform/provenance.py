"""Where each attribute of a golden record came from, for auditors."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.mapping.golden import personal_attributes


@dataclass(frozen=True, slots=True)
class Trace:
    """One attribute's origin. `value` is None for personal attributes; `field` is None for a constant."""

    attribute: str
    value: str | None
    system: str
    stream: str
    key: str
    field: str | None
    transform: str
    mapping_version: int
    load_id: int


def trace(connection: psycopg.Connection, entity: Entity, golden_id: UUID | str) -> list[Trace]:
    """Every attribute of the golden record as it is published now, by attribute; empty when there is no such record."""
    name = entity.entity
    rows = connection.execute(
        sql.SQL(
            "select p.key, case when p.key = any (%(personal)s) then null else to_jsonb(g) ->> p.key end, p.value"
            " from conformed.{view} as g, jsonb_each(g._provenance) as p where g.{id} = %(golden)s order by p.key"
        ).format(view=sql.Identifier(name), id=sql.Identifier(f"{name}_id")),
        {"golden": golden_id, "personal": personal_attributes(entity)},
    ).fetchall()
    return [
        Trace(
            attribute=attribute,
            value=value,
            system=origin["system"],
            stream=origin["stream"],
            key=origin["key"],
            field="+".join(field) if isinstance(field := origin.get("field"), list) else field,
            transform=origin["transform"],
            mapping_version=origin["mapping_version"],
            load_id=origin["load_id"],
        )
        for attribute, value, origin in rows
    ]
