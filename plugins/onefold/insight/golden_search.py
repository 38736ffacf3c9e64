"""Finds golden records by a part of a name or a number, among what the connection's role may read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.catalog.entity import Entity
from onefold.errors import Fatal
from onefold.mapping.golden import search_text

LEAST = 3
"""How many letters or digits a search has at least."""
MOST = 20
"""How many records of one entity a search gives."""
_NAMED = 4
_FOUND = """
(select {name} as entity, {id}::text as golden_id, systems, concat_ws(' · ', {shown}) as label
from {view} where {id} in ({ids}) limit {most})"""


@dataclass(frozen=True, slots=True)
class Found:
    """One golden record: `label` is what of its names and numbers the role may read."""

    entity: str
    golden_id: str
    systems: list[str]
    label: str


def search(
    connection: psycopg.Connection,
    entities: Mapping[str, Entity],
    text: str,
    entity: str | None = None,
    *,
    people: bool = False,
) -> list[Found]:
    """The golden records with the text in a name or number, by entity, at most MOST of each. Case, accents, spaces and
    signs do not matter. With `people` also in what is a person's, which needs a member of onefold_pii. Raises Fatal
    when the text is too short."""
    if len(re.sub(r"[\W_]", "", text)) < LEAST:
        raise Fatal(f"Write at least {LEAST} letters or digits of a name or a number.")
    query = _query(entities, " ".join(text.split()), entity, people)
    with connection.cursor(row_factory=class_row(Found)) as cursor:
        return cursor.execute(query).fetchall() if query else []


def searched(entities: Mapping[str, Entity], entity: str | None) -> sql.Composed:
    """A statement that reads what a search with `people` may tell: all columns, and not only those that it shows."""
    among = [sql.Identifier("conformed", name) for name in entities if entity in (None, name)]
    return sql.SQL(" union all ").join(sql.SQL("select to_jsonb(v) from {} as v").format(view) for view in among)


def _query(entities: Mapping[str, Entity], text: str, entity: str | None, people: bool) -> sql.Composed | None:
    queries = [
        sql.SQL(_FOUND).format(
            name=sql.Literal(name),
            id=sql.Identifier(f"{name}_id"),
            shown=sql.SQL(", ").join(map(sql.Identifier, _texts(each)[:_NAMED])),
            view=sql.Identifier("conformed", name),
            ids=sql.SQL(" union all ").join(
                sql.SQL("select {}({}, {})").format(function, sql.Literal(text), sql.Literal(MOST))
                for function in _functions(each, people)
            ),
            most=sql.Literal(MOST),
        )
        for name, each in entities.items()
        if entity in (None, name) and list(_functions(each, people))
    ]
    return sql.SQL(" union all ").join(queries) if queries else None


def _functions(entity: Entity, people: bool) -> Iterator[sql.Identifier]:
    if search_text(entity, people=False):
        yield sql.Identifier("conformed", f"{entity.entity}_search")
    if people and search_text(entity, people=True):
        yield sql.Identifier("conformed", f"{entity.entity}_search_people")


def _texts(entity: Entity) -> list[str]:
    return [name for name, each in entity.attributes.items() if each.type == "text"]
