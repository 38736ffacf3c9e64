"""Where each attribute of a golden record came from, for auditors."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.mapping.golden import personal_attributes


@dataclass(frozen=True, slots=True)
class AttributeProvenance:
    """Where one attribute came from. `value` is None for one that is not shown; `field` is None for a constant."""

    attribute: str
    value: str | None
    system: str
    stream: str
    key: str
    field: str | None
    transform: str
    mapping_version: int
    load_id: int


def trace_provenance(
    connection: psycopg.Connection, entity: Entity, golden_id: UUID | str, *, people: bool = False
) -> list[AttributeProvenance]:
    """Where each attribute of the golden record came from, as published now; empty when there is no such record.

    The values of personal attributes are read with `people` alone, which needs a member of onefold_pii.
    """
    name, personal = entity.entity, () if people else personal_attributes(entity)
    values: list[sql.Composable] = [
        sql.SQL("({}, to_jsonb(g.{}) #>> '{{}}')").format(sql.Literal(attribute), sql.Identifier(attribute))
        for attribute in entity.attributes
        if attribute not in personal
    ]
    values.append(sql.SQL("(null, null)"))  # of an entity whose attributes are all personal
    rows = connection.execute(
        sql.SQL(
            "select p.key, v.value, p.value"
            " from conformed.{view} as g cross join lateral jsonb_each(g._provenance) as p"
            " left join lateral (values {values}) as v (attribute, value) on v.attribute = p.key"
            " where g.{id} = %(golden)s order by p.key"
        ).format(view=sql.Identifier(name), id=sql.Identifier(f"{name}_id"), values=sql.SQL(", ").join(values)),
        {"golden": golden_id},
    ).fetchall()
    return [
        AttributeProvenance(
            attribute=attribute,
            value=value,
            system=source["system"],
            stream=source["stream"],
            key=source["key"],
            field="+".join(field) if isinstance(field := source.get("field"), list) else field,
            transform=source["transform"],
            mapping_version=source["mapping_version"],
            load_id=source["load_id"],
        )
        for attribute, value, source in rows
    ]
