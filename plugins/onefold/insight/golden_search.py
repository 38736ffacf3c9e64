"""Finds golden records by a name or a number, among what the connection's role may read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.catalog.entity import Entity
from onefold.errors import Fatal

LEAST = 3
"""How many letters or digits a search has at least."""
MOST = 20
"""How many records of one entity a search gives."""
_NAMED = 4
_READABLE = """
select v.entity, a.attname from unnest(%s::text[]) as v (entity)
join pg_class as c on c.relnamespace = 'conformed'::regnamespace and c.relname = v.entity
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where has_column_privilege(c.oid, a.attnum, 'select')"""
_FOUND = """
(select {name} as entity, {id}::text as golden_id, systems, concat_ws(' · ', {shown}) as label
from {view} where {conditions} limit {most})"""


@dataclass(frozen=True, slots=True)
class Found:
    """One golden record: `label` is what of its names and numbers the role may read."""

    entity: str
    golden_id: str
    systems: list[str]
    label: str


def readable_columns(connection: psycopg.Connection, entities: Sequence[str]) -> Mapping[str, frozenset[str]]:
    """Of the view of each entity, the columns that the connection's role may read."""
    found: dict[str, set[str]] = {name: set() for name in entities}
    for entity, column in connection.execute(_READABLE, (list(entities),)):
        found[entity].add(column)
    return {name: frozenset(columns) for name, columns in found.items()}


def search(
    connection: psycopg.Connection, entities: Mapping[str, Entity], text: str, entity: str | None = None
) -> list[Found]:
    """The golden records with the text in a name or number, by entity, at most MOST of each. Spaces and dashes in
    numbers do not matter. Raises Fatal when the text is too short."""
    text = " ".join(text.split())
    if len(re.sub(r"\W", "", text)) < LEAST:
        raise Fatal(f"Write at least {LEAST} letters or digits of a name or a number.")
    among = {name: each for name, each in entities.items() if entity in (None, name)}
    readable = readable_columns(connection, list(among))
    queries = [_query(each, readable[name]) for name, each in among.items() if _texts(each, readable[name])]
    if not queries:
        return []
    number = re.sub(r"[\s-]", "", text)
    given = {"patterns": sorted({f"%{_literally(each)}%" for each in (text, number)})}
    with connection.cursor(row_factory=class_row(Found)) as cursor:
        return cursor.execute(sql.SQL(" union all ").join(queries), given).fetchall()


def _texts(entity: Entity, readable: frozenset[str]) -> list[str]:
    return [name for name, each in entity.attributes.items() if each.type == "text" and name in readable]


def _query(entity: Entity, readable: frozenset[str]) -> sql.Composed:
    columns = [sql.Identifier(name) for name in _texts(entity, readable)]
    return sql.SQL(_FOUND).format(
        name=sql.Literal(entity.entity),
        id=sql.Identifier(f"{entity.entity}_id"),
        shown=sql.SQL(", ").join(columns[:_NAMED]),
        view=sql.Identifier("conformed", entity.entity),
        conditions=sql.SQL(" or ").join(sql.SQL("{} ilike any (%(patterns)s)").format(column) for column in columns),
        most=sql.Literal(MOST),
    )


def _literally(text: str) -> str:
    """The text for `like`, whose signs mean nothing."""
    return re.sub(r"([\\%_])", r"\\\1", text)
