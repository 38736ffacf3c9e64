"""The surveyed records in an entity's terms: the values of its attributes, and by what they are compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity, Rule
from onefold.catalog.reader import Catalog
from onefold.catalog.stream import Stream
from onefold.mapping.match_keys import address_key_sql, name_key_sql, truncated_sql
from onefold.mapping.sql import input_sql, rule_sql
from onefold.mapping_proposal.field_values import comparable_of_type
from onefold.survey.entity_rules import EntitySource
from onefold.survey.reading import table_of


@dataclass(frozen=True, slots=True)
class SurveyedRecord:
    """One living record. `name` and `address` are what a probabilistic match compares, None where it cannot;
    `truncated`: the name may have been cut off by its system."""

    system: str
    source: str
    key: str
    values: dict[str, str]
    name: str | None = None
    address: str | None = None
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Filled:
    """Of one system's attribute: in how many records the fields hold something, and in how many that is understood."""

    filled: int
    understood: int


@dataclass(frozen=True, slots=True)
class EntityRecords:
    """All records of an entity; how full each attribute is by system and attribute."""

    records: list[SurveyedRecord] = field(default_factory=list)
    filled: dict[tuple[str, str], Filled] = field(default_factory=dict)


def entity_records(
    connection: psycopg.Connection, catalog: Catalog, entity: Entity, sources: Iterable[EntitySource]
) -> EntityRecords:
    """From the streams' temporary tables."""
    found = EntityRecords()
    counts: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for source in sources:
        if not source.rules:
            continue
        names = list(source.rules)
        for key, name, truncated, address, *rest in connection.execute(_query(catalog, entity, source)):
            understood, holds = rest[: len(names)], rest[len(names) :]
            values = {each: value for each, value in zip(names, understood, strict=True) if value is not None}
            found.records.append(
                SurveyedRecord(source.system, source.source, key, values, name, address, bool(truncated))
            )
            for each, value, full in zip(names, understood, holds, strict=True):
                counts[source.system, each][0] += bool(full)
                counts[source.system, each][1] += value is not None
    found.filled.update({key: Filled(*each) for key, each in counts.items()})
    return found


def _query(catalog: Catalog, entity: Entity, source: EntitySource) -> sql.Composed:
    """Key, name key, whether it is truncated, address key, then the attributes, then whether their fields hold
    anything."""
    stream = catalog.systems[source.system].streams[source.stream]
    understood = [
        sql.SQL("{} as {}").format(
            sql.SQL(comparable_of_type(rule_sql(rule, stream), entity.attributes[name].type)), sql.Identifier(name)
        )
        for name, rule in source.rules.items()
    ]
    holds = [
        sql.SQL("({}) as {}").format(sql.SQL(_holds(rule, stream)), sql.Identifier(f"{name}?"))
        for name, rule in source.rules.items()
    ]
    match = entity.identity.probabilistic
    compared = match is not None and {match.name, *match.address} <= source.rules.keys()
    keys = "null::text, false, null::text"
    if match and compared:
        parts = [f'"{part}"' for part in match.address]
        name = f'"{match.name}"'
        keys = ", ".join((name_key_sql(name), truncated_sql(name), address_key_sql(parts)))
    columns = [sql.Identifier(name) for name in source.rules] + [sql.Identifier(f"{name}?") for name in source.rules]
    return sql.SQL(
        "select _key, {}, {} from (select distinct on (_key) _key, {}, {} from {}"
        " where not _deleted and _key is not null order by _key, _cursor desc nulls last offset 0) as record"
    ).format(
        sql.SQL(keys),
        sql.SQL(", ").join(columns),
        sql.SQL(", ").join(understood),
        sql.SQL(", ").join(holds),
        table_of(source.system, source.stream),
    )


def _holds(rule: Rule, stream: Stream) -> str:
    """Whether a field of the rule holds anything."""
    if rule.constant is not None:
        return "true"
    return " or ".join(f"coalesce(btrim({each}), '') <> ''" for each in input_sql(rule, stream))
