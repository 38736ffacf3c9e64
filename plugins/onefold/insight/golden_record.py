"""One golden record: where each value came from, what did not win, its history, and why its records are one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.conform.provenance import AttributeProvenance, trace_provenance

MEMBERS = 200
"""How many source records are shown of one golden record."""
VERSIONS = 30


@dataclass(frozen=True, slots=True)
class Member:
    """A source record that the golden record is made of."""

    system: str
    stream: str
    key: str
    record: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version of it: from which publish on, until when, and which attributes the role may read have changed since
    the version before, as name, before, after. `changes` is empty where only others, or records, changed."""

    publish_id: int
    since: datetime | None
    until: datetime | None
    merged_into: str | None
    records: int
    changes: Sequence[tuple[str, str | None, str | None]]


@dataclass(frozen=True, slots=True)
class Shared:
    """An identifier that several of its records have in common."""

    identifier: str
    records: list[str]


@dataclass(frozen=True, slots=True)
class GoldenRecord:
    """What is published of it now. In `attributes`, a value of None is one that the role may not read; an attribute
    that has none is not there. `label` is the first of its texts that the role may read, in the catalogue's order."""

    entity: str
    golden_id: str
    label: str
    attributes: Sequence[AttributeProvenance]
    members: Sequence[Member]
    members_in_all: int
    versions: Sequence[Version]
    shared: Sequence[Shared]
    warnings: Sequence[str]


def golden_record(
    connection: psycopg.Connection, entity: Entity, golden_id: str, *, people: bool = False
) -> GoldenRecord | None:
    """The golden record as it is published; None when there is none of this id, now. With `people` also the values of
    its personal attributes as they are now, which needs a member of onefold_pii."""
    name = entity.entity
    row = connection.execute(
        sql.SQL("select record_count, warnings from {view} where {id} = %s").format(
            view=sql.Identifier("conformed", name), id=sql.Identifier(f"{name}_id")
        ),
        (golden_id,),
    ).fetchone()
    if row is None:
        return None
    members = connection.execute(
        sql.SQL(
            "select system, stream, key, record from {crosswalk} where {id} = %s order by system, stream, key limit %s"
        ).format(crosswalk=sql.Identifier("conformed", f"{name}_crosswalk"), id=sql.Identifier(f"{name}_id")),
        (golden_id, MEMBERS),
    ).fetchall()
    shared = connection.execute(_SHARED, (name, golden_id)).fetchall()
    attributes = trace_provenance(connection, entity, golden_id, people=people)
    return GoldenRecord(
        entity=name,
        golden_id=golden_id,
        label=_label(entity, attributes),
        attributes=attributes,
        members=[Member(*each) for each in members],
        members_in_all=row[0],
        versions=_versions(connection, entity, golden_id),
        shared=[Shared(*each) for each in shared],
        warnings=row[1],
    )


def _label(entity: Entity, attributes: Sequence[AttributeProvenance]) -> str:
    values = {each.attribute: each.value for each in attributes if each.value}
    texts = (values.get(name) for name, each in entity.attributes.items() if each.type == "text")
    return next((str(text) for text in texts if text), "")


_SHARED = "select identifier, records from conformed.shared_identifiers(%s, %s)"
_READABLE = """
select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped
    and has_column_privilege(attrelid, attnum, 'select')"""
_VERSIONS = """
select v._publish_id, began.ended_at, gone.ended_at, v._merged_into::text, v._records, {values}
from {version} as v left join ops.publish as began on began.publish_id = v._publish_id
left join ops.publish as gone on gone.publish_id = v._ended_publish_id
where v.{id} = %s order by v._publish_id desc limit %s"""


def _versions(connection: psycopg.Connection, entity: Entity, golden_id: str) -> list[Version]:
    name = entity.entity
    readable = {column for (column,) in connection.execute(_READABLE, (f'conformed."{name}_version"',))}
    attributes = [each for each in entity.attributes if each in readable]
    values: list[sql.Composable] = [
        sql.SQL("{}, v.{}").format(sql.Literal(each), sql.Identifier(each)) for each in attributes
    ]
    query = sql.SQL(_VERSIONS).format(
        values=sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(values)),
        version=sql.Identifier("conformed", f"{name}_version"),
        id=sql.Identifier(f"{name}_id"),
    )
    rows = connection.execute(query, (golden_id, VERSIONS + 1)).fetchall()
    before: list[Mapping[str, object]] = [row[5] for row in rows[1:]]
    if len(rows) <= VERSIONS:
        before.append({})
    return [
        Version(row[0], row[1], row[2], row[3], row[4], _changes(then, row[5]) if then else [])
        for row, then in zip(rows[:VERSIONS], before[:VERSIONS], strict=True)
    ]


def _changes(before: Mapping[str, object], after: Mapping[str, object]) -> list[tuple[str, str | None, str | None]]:
    return [(name, _text(before.get(name)), _text(value)) for name, value in after.items() if before.get(name) != value]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
