"""Natural persons who are a company: what an organisation's record says is then said of them (see 14_people.sql)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity, Party
from onefold.catalog.reader import Catalog
from onefold.catalog.stream import Stream
from onefold.privacy.personal_fields import leaves, matches, places_of
from onefold.privacy.records import GoldenId
from onefold.warehouse.rows import one_row

IsNatural = Callable[[str, str | None], bool]
"""Of a company's name and court number: whether it has to be taken for a natural person."""


def natural_persons(connection: psycopg.Connection) -> IsNatural:
    """The rule of the database, by which readers do not see these names either. A name is asked about once."""

    @cache
    def is_natural(name: str, court_number: str | None) -> bool:
        query = "select conformed.is_natural_person(%s, %s)"
        return bool(name.strip()) and bool(one_row(connection.execute(query, (name, court_number)))[0])

    return is_natural


def own_fields(
    entities: Mapping[str, Entity], natural: IsNatural, stream: Stream, source: str, payload: object
) -> frozenset[str]:
    """The fields of a person's own record (of system.stream) that say who the company is whose record it is, where that
    has to be taken for the person: those that the entity's party is made of, and others of the class organisation. What
    names a company that is no natural person is not among them."""
    found: set[str] = set()
    for entity in entities.values():
        if (party := entity.own_party) is None or source not in entity.streams:
            continue
        mapped = {field for attribute in party.hidden for field in _fields(entity, attribute, source)}
        others = _more_fields(entities, stream, source) - mapped
        court_number = _text(stream, payload, _fields(entity, party.court_number, source))
        if name := _text(stream, payload, _fields(entity, party.name, source)):
            of_person = natural(name, court_number or None)
        else:
            texts = [_text(stream, payload, [field]) for field in sorted(others)]
            of_person = not court_number and all(natural(text, None) for text in texts if text)
        if of_person:
            found |= mapped
        if of_person or not name:
            found |= {field for field in others if natural(_text(stream, payload, [field]), None)}
    return frozenset(found)


def is_persons(entity: Entity, natural: IsNatural, attribute: str, row: Mapping[str, object]) -> bool:
    """Whether an attribute of a row of the entity says who a company is that has to be taken for a natural person."""
    party = entity.own_party
    if party is None or attribute not in party.hidden:
        return False
    name, court_number = row.get(party.name), row.get(party.court_number or "")
    return natural(str(name), str(court_number) if court_number else None) if name else not court_number


def company_in(entity: Entity, stream: Stream, source: str, payload: object) -> tuple[str, str | None]:
    """The name of the company whose record it is, "" where there is none, and its court number."""
    if (party := entity.own_party) is None:
        return "", None
    name, number = (
        _text(stream, payload, _fields(entity, attribute, source)) for attribute in (party.name, party.court_number)
    )
    return name, number or None


def _more_fields(entities: Mapping[str, Entity], stream: Stream, source: str) -> set[str]:
    """The fields of the class organisation; none of a document, which names other companies too."""
    if any(entity.parties and not entity.own_party and source in entity.streams for entity in entities.values()):
        return set()
    return {name for name, field in stream.fields.items() if field.personal == "organisation"}


def _fields(entity: Entity, attribute: str | None, source: str) -> Sequence[str]:
    rule = entity.attributes[attribute].sources.get(source) if attribute else None
    return rule.fields if rule else ()


def _text(stream: Stream, payload: object, fields: Iterable[str]) -> str:
    """What stands in these fields, one after the other."""
    places = [places_of(name, stream.fields[name])[0] for name in fields]
    found = (str(value) for place in places for path, value in leaves(payload) if matches(path, place))
    return " ".join(found).strip(" -")


def is_organisation(entity: Entity) -> sql.Composable:
    """Of all versions of a golden record that have something of an organisation: whether it is one, and no person."""
    party = entity.own_party
    if party is None:
        return sql.SQL("bool_and(true)")
    return sql.SQL("bool_or(not {natural}) or bool_and({name} is null)").format(
        natural=_is_natural(party), name=sql.Identifier(party.name)
    )


def with_the_same_number(connection: psycopg.Connection, catalog: Catalog, golden: Iterable[GoldenId]) -> set[GoldenId]:
    """What else has a number of these sole traders, as what the registers say of them, and is no organisation."""
    numbers: set[str] = set()
    for name, golden_id in golden:
        if party := catalog.entities[name].own_party:
            query = sql.SQL("select distinct unnest(array[{}]::text[]) from conformed.{} where {}::text = %s").format(
                _numbers(party), sql.Identifier(f"{name}_version"), sql.Identifier(f"{name}_id")
            )
            numbers |= {number for (number,) in connection.execute(query, (golden_id,)) if number}
    found: set[GoldenId] = set()
    for name, entity in catalog.entities.items():
        if numbers and (party := entity.own_party):
            query = sql.SQL(
                "select {id}::text from conformed.{version} where array[{numbers}]::text[] && %s::text[]"
                " group by 1 having not ({organisation})"
            ).format(
                id=sql.Identifier(f"{name}_id"),
                version=sql.Identifier(f"{name}_version"),
                numbers=_numbers(party),
                organisation=is_organisation(entity),
            )
            found |= {(name, golden_id) for (golden_id,) in connection.execute(query, (sorted(numbers),))}
    return found


def _is_natural(party: Party) -> sql.Composable:
    court_number = sql.Identifier(party.court_number) if party.court_number else sql.SQL("null")
    return sql.SQL("conformed.is_natural_person({}, {})").format(sql.Identifier(party.name), court_number)


def _numbers(party: Party) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(name) for name in party.attributes if name != party.name)
