"""What would become of an entity's golden records, attribute by attribute, read from the tables of a dry run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from onefold.catalog.entity import Entity
from onefold.conform.dry_run_schemas import MAPPED
from onefold.conform.publish_ledger import Publish
from onefold.warehouse.rows import one_row

Item = TypeVar("Item")

SAMPLES = 20
"""Golden records that are shown of each kind and entity."""
MASK = "…"
"""Stands for a personal value."""
_LENGTH = 120
_KINDS = ("filled", "emptied", "changed")

_RECORDS = """
insert into ops.plan_record (publish_id, entity, golden_id, change, digest)
select {publish}, {entity}, {id}, _change, _hash from {candidate}
where _change is not null and {id} not in (select golden_id from held)
union all
select {publish}, {entity}, {id}, 'ended', coalesce(merged_into::text, '') from {ended}
where {id} not in (select golden_id from held)
union all
select {publish}, {entity}, golden_id, 'held_back', '' from held"""
_PAIRS = """
from {candidate} as c join {version} as v on v.{id} = c.{id} and v._ended_publish_id is null
where c._change = 'changed' and c.{id} not in (select golden_id from held)"""
_NO_ATTRIBUTE = "select count(*) {pairs} and not ({differs})"
_MOVED = """
select {id}::text as id, merged_into::text as into from {ended}
where {id} not in (select golden_id from held) and (merged_into is not null) = {merged} order by 1 limit {limit}"""
_SPLIT = """
select _previous_id::text as id, array_agg(distinct {id}::text) as into from {crosswalk}
where _previous_id is not null and _previous_id not in (select golden_id from held)
group by _previous_id having count(distinct {id}) > 1 order by 1 limit {limit}"""
_HELD = "select golden_id::text as id, expectations, reason from held order by 1 limit {limit}"


@dataclass(slots=True)
class GoldenDiff:
    """By attribute, how many changed golden records get a value, lose it, or have another one; how many change in none
    of them (other records, or another source of the same value); and samples by kind of change.

    A sample is of one golden record: its id, and of each attribute that changes the value before and after.
    """

    attributes: dict[str, dict[str, int]] = field(default_factory=dict)
    same_values: int = 0
    samples: dict[str, list[dict[str, object]]] = field(default_factory=dict)


def keep_records(connection: psycopg.Connection, publish: Publish, entity: Entity) -> None:
    """Keep, of every golden record that the dry run changes, what apply compares with what it is about to publish."""
    connection.execute(sql.SQL(_RECORDS).format(**_parts(publish, entity)))


def diff_golden_records(
    connection: psycopg.Connection, publish: Publish, entity: Entity, masked: Collection[str]
) -> GoldenDiff:
    """Count and sample what the dry run changes; call it where `held` names what would be held back. Of the `masked`
    attributes no value is shown."""
    parts = _parts(publish, entity)
    pairs = sql.SQL(_PAIRS).format(**parts)
    found = GoldenDiff()
    for names in _batched(list(entity.attributes), 50):  # a query gives no more than 1,664 columns
        counts = [_count(name, kind) for name in names for kind in _KINDS]
        row = one_row(connection.execute(sql.SQL("select {} {}").format(sql.SQL(", ").join(counts), pairs)))
        for name, numbers in zip(names, _batched(row, len(_KINDS)), strict=True):
            if any(numbers):
                found.attributes[name] = dict(zip(_KINDS, numbers, strict=True))
    differs = sql.SQL(" or ").join(map(_differs, entity.attributes))
    found.same_values = one_row(connection.execute(sql.SQL(_NO_ATTRIBUTE).format(pairs=pairs, differs=differs)))[0]
    found.samples = {kind: rows for kind, rows in _samples(connection, entity, parts, masked) if rows}
    return found


def _samples(
    connection: psycopg.Connection, entity: Entity, parts: Mapping[str, sql.Composable], masked: Collection[str]
) -> Iterator[tuple[str, list[dict[str, object]]]]:
    limit = {"limit": sql.Literal(SAMPLES)}
    changes = _object(
        [
            (name, sql.SQL("case when {} then jsonb_build_array({}, {}) end").format(
                _differs(name), _shown(entity, name, "v", masked), _shown(entity, name, "c", masked)
            ))
            for name in entity.attributes
        ]
    )  # fmt: skip
    values = _object([(name, _shown(entity, name, "c", masked)) for name in entity.attributes])
    differs = sql.SQL(" or ").join(map(_differs, entity.attributes))
    queries = {
        "changed": sql.SQL("select c.{id}::text as id, {changes} as attributes {pairs} and ({differs})"
            " order by 1 limit {limit}").format(
            **parts, **limit, changes=changes, pairs=sql.SQL(_PAIRS).format(**parts), differs=differs
        ),
        "new": sql.SQL("select c.{id}::text as id, {values} as attributes from {candidate} as c"
            " where c._change = 'new' and c.{id} not in (select golden_id from held)"
            " order by 1 limit {limit}").format(**parts, **limit, values=values),
        "merged": sql.SQL(_MOVED).format(**parts, **limit, merged=sql.Literal(True)),
        "ended": sql.SQL(_MOVED).format(**parts, **limit, merged=sql.Literal(False)),
        "split": sql.SQL(_SPLIT).format(**parts, **limit),
        "held_back": sql.SQL(_HELD).format(**limit),
    }  # fmt: skip
    for kind, query in queries.items():
        with connection.cursor(row_factory=dict_row) as cursor:
            yield kind, cursor.execute(query).fetchall()


def _object(members: list[tuple[str, sql.Composed]]) -> sql.Composable:
    """A JSON object of the members that are not NULL."""
    parts = [
        sql.SQL("jsonb_build_object({})").format(
            sql.SQL(", ").join(sql.SQL("{}, {}").format(sql.Literal(name), value) for name, value in some)
        )
        for some in _batched(members, 50)  # a function takes 100 arguments
    ]
    return sql.SQL("jsonb_strip_nulls({})").format(sql.SQL(" || ").join(parts))


def _batched(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _differs(name: str) -> sql.Composable:
    return sql.SQL("v.{0} is distinct from c.{0}").format(sql.Identifier(name))


def _count(name: str, kind: str) -> sql.Composable:
    before = {"filled": "is null", "emptied": "is not null", "changed": "is not null"}[kind]
    after = {"filled": "is not null", "emptied": "is null", "changed": "is not null"}[kind]
    return sql.SQL("count(*) filter (where {} and v.{} {} and c.{} {})").format(
        _differs(name), sql.Identifier(name), sql.SQL(before), sql.Identifier(name), sql.SQL(after)
    )


def _shown(entity: Entity, name: str, row: str, masked: Collection[str]) -> sql.Composed:
    """The value as a sample shows it: cut, and masked where it is personal, or of a company that is a person."""
    value = sql.SQL("left({}::text, {})").format(sql.Identifier(row, name), sql.Literal(_LENGTH))
    mask = sql.SQL("case when {} is not null then {} end").format(sql.Identifier(row, name), sql.Literal(MASK))
    if name in masked:
        return mask
    is_of_company = entity.attributes[name].personal == "organisation"
    party = entity.party_of.get(name) or (entity.own_party if is_of_company else None)
    if party is None:
        return sql.SQL("{}").format(value)
    number = sql.Identifier(row, party.court_number) if party.court_number else sql.SQL("null")
    return sql.SQL("case when conformed.is_natural_person({}, {}) then {} else {} end").format(
        sql.Identifier(row, party.name), number, mask, value
    )


def _parts(publish: Publish, entity: Entity) -> dict[str, sql.Composable]:
    name = entity.entity
    return {
        "publish": sql.Literal(publish.publish_id),
        "entity": sql.Literal(name),
        "id": sql.Identifier(f"{name}_id"),
        "candidate": sql.Identifier(MAPPED, f"{name}__candidate"),
        "crosswalk": sql.Identifier(MAPPED, f"{name}__candidate_crosswalk"),
        "ended": sql.Identifier(MAPPED, f"{name}__ended"),
        "version": sql.Identifier(MAPPED, f"{name}_version"),
    }
