"""How a field's values agree with those that other systems' mappings have given an attribute already (mapped.*).

*Overlap*: which share of the field's different values the attribute has. *Agreement*: records of both sides that have
the same identifier are the same thing; in which share of them do field and attribute say the same, beyond chance
(Cohen's kappa, chance measured by shifting the pairs by one)?
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.mapping.sql import transform_types
from onefold.mapping_proposal.field_values import comparable_of_type

ANCHORS = 2
"""So many identifiers are tried for one mapped table."""
CONSTANT = 0.95
"""Agreement by chance from which a field and an attribute have hardly more than one value."""
COMMON = 0.05
"""Share of a field's values that an identifier has in common at least; fewer are chance."""
FEW = 5
"""Matches below which nothing is concluded."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Of a field, by one transform, with an attribute of an entity that `system` gives: which share of the field's
    different values it has, and how many of them that are; None of both where it was not asked."""

    field: str
    transform: str
    entity: str
    attribute: str
    system: str
    matches: int
    distinct: int
    agreement: float | None = None
    """Kappa over the records that both sides have, -1 to 1."""
    pairs: int = 0
    """How many records those are."""

    @property
    def share(self) -> float:
        return self.matches / self.distinct if self.distinct else 0.0


@dataclass(frozen=True, slots=True)
class MappedTable:
    """The values that one system gives an entity: a relation with _record, _deleted and a column an attribute."""

    relation: sql.Composable
    system: str
    entity: str
    types: Mapping[str, str]
    """By attribute that the system gives: its SQL type."""

    @property
    def values(self) -> sql.Composed:
        """The attributes of a record as rows (attribute, value)."""
        return sql.SQL("(values {}) as known (attribute, value)").format(
            sql.SQL(", ").join(
                sql.SQL("({}, {})").format(sql.Literal(name), sql.SQL(comparable_of_type(f'mapped."{name}"', kind)))
                for name, kind in self.types.items()
            )
        )


def mapped_tables(
    connection: psycopg.Connection, entities: Mapping[str, Entity], without: str | None = None
) -> list[MappedTable]:
    """The tables of schema mapped that there are, of all systems but `without`."""
    there = {
        name
        for (name,) in connection.execute(
            "select relname::text from pg_class where relnamespace = 'mapped'::regnamespace"
        )
    }
    tables = []
    for entity in entities.values():
        for system in entity.systems:
            name = f"{system}__{entity.entity}"
            types = {
                each: attribute.type
                for each, attribute in entity.attributes.items()
                if any(source.partition(".")[0] == system for source in attribute.sources)
            }
            if system != without and name in there and types:
                tables.append(MappedTable(sql.Identifier("mapped", name), system, entity.entity, types))
    return tables


def overlaps(connection: psycopg.Connection, tables: Iterable[MappedTable]) -> list[Overlap]:
    """Of every field in proposal_value with every attribute of the tables."""
    connection.execute("drop table if exists proposal_distinct")
    connection.execute(
        "create temp table proposal_distinct on commit drop as"
        " select field, transform, value, count(*)::int as times from proposal_value group by 1, 2, 3"
    )
    connection.execute("analyze proposal_distinct")
    totals = {
        (field, transform): (distinct, filled, length)
        for field, transform, distinct, filled, length in connection.execute(
            "select field, transform, count(*), sum(times), avg(length(value))::float"
            " from proposal_distinct group by 1, 2"
        )
    }
    found: list[Overlap] = []
    for table in tables:
        rows = connection.execute(
            sql.SQL(
                "select field, transform, known.attribute, count(distinct mine.value)"
                " from {relation} as mapped cross join lateral {values}"
                " join proposal_distinct as mine on mine.value = known.value"
                " where not mapped._deleted group by 1, 2, 3"
            ).format(relation=table.relation, values=table.values)
        ).fetchall()
        of_table = {
            (field, transform, attribute): Overlap(
                field, transform, table.entity, attribute, table.system, matches, totals[field, transform][0]
            )
            for field, transform, attribute, matches in rows
        }
        anchors = sorted(
            (
                each
                for each in of_table.values()
                if each.matches >= FEW
                and each.share >= COMMON
                and table.types[each.attribute] == "text"
                and transform_types()[each.transform] == "text"
                and _identifies(*totals[each.field, each.transform])
            ),
            key=lambda each: -each.matches,
        )
        agreed = _agreement(connection, table, anchors)
        for key, each in of_table.items():
            kappa, pairs = agreed.pop(key, (None, 0))
            found.append(replace(each, agreement=kappa, pairs=pairs))
        for (field, transform, attribute), (kappa, pairs) in agreed.items():
            distinct = totals[field, transform][0]
            found.append(Overlap(field, transform, table.entity, attribute, table.system, 0, distinct, kappa, pairs))
    return found


def _identifies(distinct: int, filled: int, length: float) -> bool:
    return distinct >= 0.9 * filled and length >= 4


def _agreement(
    connection: psycopg.Connection, table: MappedTable, anchors: list[Overlap]
) -> dict[tuple[str, str, str], tuple[float, int]]:
    """By field, transform and attribute: kappa and the number of pairs, by the first anchor that joins records."""
    best: dict[tuple[str, str, str], tuple[float, int]] = {}
    used: set[tuple[str, str]] = set()
    for anchor in anchors:
        if len(used) == ANCHORS:
            break
        if (anchor.field, anchor.attribute) in used:
            continue
        column = sql.SQL(comparable_of_type(f'mapped."{anchor.attribute}"', table.types[anchor.attribute]))
        connection.execute("drop table if exists proposal_pair")
        connection.execute(
            sql.SQL(
                "create temp table proposal_pair on commit drop as"
                " select place, record, lead(record, 1, first) over (order by place) as other from ("
                " select place, min(_record) as record, first_value(min(_record)) over (order by place) as first"
                " from proposal_value as mine join {relation} as mapped on {column} = mine.value"
                " where mine.field = {field} and mine.transform = {transform} and not mapped._deleted"
                " group by place having count(*) = 1) as pair"
            ).format(
                relation=table.relation,
                column=column,
                field=sql.Literal(anchor.field),
                transform=sql.Literal(anchor.transform),
            )
        )
        used.add((anchor.field, anchor.attribute))
        same, chance = (
            {
                (field, transform, attribute): (both, equal)
                for field, transform, attribute, both, equal in connection.execute(
                    sql.SQL(
                        "select mine.field, mine.transform, known.attribute, count(*),"
                        " count(*) filter (where mine.value = known.value)"
                        " from proposal_pair as pair join proposal_value as mine on mine.place = pair.place"
                        " join {relation} as mapped on mapped._record = pair.{side} cross join lateral {values}"
                        " where known.value is not null group by 1, 2, 3"
                    ).format(relation=table.relation, values=table.values, side=sql.Identifier(side))
                )
            }
            for side in ("record", "other")
        )
        for key, (both, equal) in same.items():
            if both < FEW or (key[0], key[2]) == (anchor.field, anchor.attribute):
                continue
            shifted, by_chance = chance.get(key, (0, 0))
            expected = by_chance / shifted if shifted else 0.0
            if expected > CONSTANT:  # nothing can be told from a value that is always the same, but that it is the same
                kappa = 0.5 if equal == both else 0.0
            else:
                kappa = (equal / both - expected) / (1 - expected)
            if key not in best or both > best[key][1]:
                best[key] = (kappa, both)
    return best
