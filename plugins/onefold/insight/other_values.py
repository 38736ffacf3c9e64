"""What the other source records of a golden record say of an attribute: the values that did not win."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity, Rule
from onefold.catalog.system import System
from onefold.insight.golden_record import GoldenRecord, Member
from onefold.quality.faults import field_text
from onefold.warehouse.tables import StagingTable

_PLAIN = "select {system} as system, {stream} as stream, _key, to_jsonb(p) from {view} as p where _key = any ({keys})"
_WHOLE = """
select {system} as system, {stream} as stream, _key, jsonb_strip_nulls(jsonb_build_object({fields}))
from {view} as p where _key = any ({keys})"""
Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class OtherValue:
    """What one other record says, as its system writes it, before the transform. `value` is None where the role may not
    read it. The first is of the most trusted system."""

    system: str
    stream: str
    key: str
    field: str
    transform: str
    value: str | None


def other_values(
    connection: psycopg.Connection, entity: Entity, record: GoldenRecord, systems: Mapping[str, System] | None = None
) -> Mapping[str, Sequence[OtherValue]]:
    """By attribute: the other records that have a value, by the trust in their system. What is said of a natural
    person is not shown, as it is not in the golden record. With `systems`, which say what fields there are, all is
    read: only a member of onefold_pii may."""
    rows = _rows(connection, record.members, systems)
    hidden = {} if systems is not None else _of_people(connection, entity, record.members, rows)
    found: dict[str, list[OtherValue]] = {}
    for won in record.attributes:
        attribute = entity.attributes[won.attribute]
        trust = {system: place for place, system in enumerate(attribute.trust or entity.trust)}
        others = []
        for member in record.members:
            rule = attribute.sources.get(f"{member.system}.{member.stream}")
            if rule is None or (member.system, member.stream, member.key) == (won.system, won.stream, won.key):
                continue
            secret = won.value is None or won.attribute in hidden.get(member.record, frozenset())
            if (other := _other(member, rule, rows.get(member.record, {}), secret)) is not None:
                others.append(other)
        found[won.attribute] = sorted(
            others, key=lambda each: (trust.get(each.system, len(trust)), each.stream, each.key)
        )
    return found


def _other(member: Member, rule: Rule, row: Row, secret: bool) -> OtherValue | None:
    """None where the record says nothing of the attribute."""
    if rule.constant is not None:
        return OtherValue(member.system, member.stream, member.key, "constant", rule.transform, rule.constant)
    values = [row.get(field) for field in rule.fields]
    known = all(field in row for field in rule.fields)
    if known and all(value in (None, "") for value in values):
        return None
    text = None if secret or not known else ", ".join("" if value is None else str(value) for value in values)
    return OtherValue(member.system, member.stream, member.key, "+".join(rule.fields), rule.transform, text)


def _rows(
    connection: psycopg.Connection, members: Sequence[Member], systems: Mapping[str, System] | None
) -> Mapping[str, Row]:
    """By record, its fields: those that are not personal, or all that `systems` name."""
    keys = defaultdict[tuple[str, str], list[str]](list)
    for member in members:
        keys[member.system, member.stream].append(member.key)
    tables = [StagingTable(system, stream) for system, stream in keys]
    names = [each.plain_name if systems is None else each.current_name for each in tables]
    there = {
        name
        for (name,) in connection.execute(
            "select relname from pg_class where relnamespace = 'staging'::regnamespace and relname = any (%s)", (names,)
        )
    }
    queries = [
        sql.SQL(_PLAIN if systems is None else _WHOLE).format(
            system=sql.Literal(system),
            stream=sql.Literal(stream),
            view=sql.Identifier("staging", name),
            keys=sql.Literal(of),
            fields=_fields(systems or {}, system, stream),
        )
        for ((system, stream), of), name in zip(keys.items(), names, strict=True)
        if name in there
    ]
    if not queries:
        return {}
    found = connection.execute(sql.SQL(" union all ").join(queries)).fetchall()
    return {f"{system}|{stream}|{key}": row for system, stream, key, row in found}


def _fields(systems: Mapping[str, System], system: str, stream: str) -> sql.Composable:
    """Each field's name and text, as jsonb_build_object takes them."""
    known = systems[system].streams.get(stream) if system in systems else None
    return sql.SQL(", ").join(
        sql.SQL("{}, {}").format(sql.Literal(name), field_text(name, field))
        for name, field in (known.fields if known else {}).items()
    )


def _of_people(
    connection: psycopg.Connection, entity: Entity, members: Sequence[Member], rows: Mapping[str, Row]
) -> Mapping[str, frozenset[str]]:
    """By record, the attributes that are about a company which is, or has to be taken for, a natural person."""
    asked = [
        (
            member.record,
            party.attributes,
            _raw(entity, party.name, member, rows),
            _raw(entity, party.court_number, member, rows),
        )
        for member in members
        for party in entity.parties
    ]
    if not asked:
        return {}
    answers = connection.execute(
        "select conformed.is_natural_person(name, court) from unnest(%s::text[], %s::text[]) with ordinality"
        " as asked (name, court, place) order by place",
        ([name for *_, name, _ in asked], [court for *_, court in asked]),
    ).fetchall()
    found = defaultdict[str, frozenset[str]](frozenset)
    for (record, attributes, _, _), (natural,) in zip(asked, answers, strict=True):
        if natural:
            found[record] |= frozenset(attributes)
    return found


def _raw(entity: Entity, attribute: str | None, member: Member, rows: Mapping[str, Row]) -> str | None:
    rule = entity.attributes[attribute].sources.get(f"{member.system}.{member.stream}") if attribute else None
    row = rows.get(member.record, {})
    said = [str(row[field]) for field in (rule.fields if rule else ()) if row.get(field)]
    return " ".join(said) or None
