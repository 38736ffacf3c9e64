"""Who a person is to the warehouse: the values by which they are known, their records, their golden records.

A record is the person's own where an identifier of theirs (an e-mail address, a PESEL) stands in a field that the
mapping catalogue calls an identifier of a person (`person` of an entity), or where resolution has joined it with such
a record, or where their PESEL stands at all. Any other record that names them is somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity, Rule
from onefold.catalog.reader import Catalog
from onefold.catalog.stream import Stream
from onefold.errors import Fatal
from onefold.privacy.personal_fields import leaves, matches, personal_fields, places_of
from onefold.privacy.records import GoldenId, RecordId, StoredRecord, matching_records, records_of
from onefold.privacy.tables import WarehouseTable, warehouse_tables
from onefold.privacy.traders import IsNatural, company_in, is_organisation, natural_persons, with_the_same_number
from onefold.privacy.values import ANYWHERE, KnownValues, PersonalValue, full_name, values_in

_MOST_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Subject:
    """One person. `shared` counts values, by kind, that are others' too and so are looked for in own records alone."""

    values: frozenset[PersonalValue] = field(repr=False)
    records: frozenset[RecordId]
    golden: frozenset[GoldenId]
    shared: dict[str, int] = field(default_factory=dict)

    @property
    def known(self) -> KnownValues:
        return KnownValues(self.values)


def find_subject(
    connection: psycopg.Connection,
    catalog: Catalog,
    values: Iterable[PersonalValue] = (),
    *,
    golden: GoldenId | None = None,
    records: Iterable[RecordId] = (),
) -> Subject:
    """Find the person from identifiers, from a golden record or from records; whatever of it leads to more is followed.

    Raises Fatal when the golden record is unknown, or its entity is not one of persons.
    """
    tables = warehouse_tables(connection, catalog)
    given = frozenset(values)
    known, own = set(given), set(records)
    if golden:
        own |= _of_a_person(connection, catalog, golden)
    asked: set[PersonalValue] = set()
    goldens: set[GoldenId] = set()
    natural = natural_persons(connection)
    for _ in range(_MOST_ROUNDS):
        before = (len(known), len(own))
        if new := {value for value in known - asked if value.kind in ANYWHERE}:
            finder = KnownValues(new)
            own |= {
                stored.record
                for stored in matching_records(connection, tables, finder.sql_pattern)
                if _is_own(catalog, natural, stored, finder)
            }
            asked |= new
        goldens = _golden_of(connection, catalog, own)
        goldens |= with_the_same_number(connection, catalog, goldens)
        for each in goldens:
            own |= _members_of(connection, each)
        for stored in records_of(connection, tables, own):
            known |= {value for value in _identifiers_in(catalog, natural, stored) if value.kind in ("email", "pesel")}
        if before == (len(known), len(own)):
            break
    subject = Subject(frozenset(known), frozenset(own), frozenset(goldens))
    return _with_names(connection, catalog, tables, subject, given)


def _with_names(
    connection: psycopg.Connection,
    catalog: Catalog,
    tables: Sequence[WarehouseTable],
    subject: Subject,
    given: frozenset[PersonalValue],
) -> Subject:
    """The subject with the names and phone numbers of their records, as far as they are nobody else's too."""
    more: set[PersonalValue] = set()
    natural = natural_persons(connection)
    for stored in records_of(connection, tables, subject.records):
        more |= {value for value in _identifiers_in(catalog, natural, stored) if value.kind == "phone"}
        more |= set(_names_in(catalog, natural, stored))
    more -= subject.values
    shared = _shared(connection, catalog, tables, subject, more) - given
    counts: dict[str, int] = {}
    for value in shared:
        counts[value.kind] = counts.get(value.kind, 0) + 1
    return Subject(subject.values | (more - shared), subject.records, subject.golden, counts)


def _shared(
    connection: psycopg.Connection,
    catalog: Catalog,
    tables: Sequence[WarehouseTable],
    subject: Subject,
    values: set[PersonalValue],
) -> set[PersonalValue]:
    """Those of the values that stand in the own records of another person as that person's."""
    found: set[PersonalValue] = set()
    phones = {value for value in values if value.kind == "phone"}
    if phones:
        natural = natural_persons(connection)
        for stored in matching_records(connection, tables, KnownValues(phones).sql_pattern):
            if stored.record not in subject.records:
                found |= phones & set(_identifiers_in(catalog, natural, stored))
    names = {value.text: value for value in values if value.kind == "name"}
    for entity in catalog.entities.values():
        if not names or entity.person is None or len(entity.person.names) < 2:
            continue
        rows = connection.execute(
            sql.SQL("select distinct {}, {}::text from conformed.{} where {} ~ {}").format(
                sql.SQL(", ").join(map(sql.Identifier, entity.person.names)),
                sql.Identifier(f"{entity.entity}_id"),
                sql.Identifier(f"{entity.entity}_version"),
                sql.SQL("concat_ws(' ', {})").format(sql.SQL(", ").join(map(sql.Identifier, entity.person.names))),
                sql.Literal(KnownValues(names.values()).sql_pattern),
            )
        ).fetchall()
        for *words, golden_id in rows:
            name = full_name(word for word in words if word)
            if name and name.text in names and (entity.entity, golden_id) not in subject.golden:
                found.add(names[name.text])
    return found


def identifying_texts(
    entities: Mapping[str, Entity], natural: IsNatural, stream: Stream, source: str, payload: object
) -> Iterator[str]:
    """What stands in the fields of a record by which its person is known; `source` is its system.stream."""
    for entity in _of_persons(entities, natural, stream, source, payload):
        if entity.person:
            yield from _texts(stream, source, payload, entity, entity.person.identifiers)


def _is_own(catalog: Catalog, natural: IsNatural, stored: StoredRecord, finder: KnownValues) -> bool:
    asked = {value for value in finder.values if value.kind in ("email", "pesel")}
    if asked & set(_identifiers_in(catalog, natural, stored)):
        return True
    if _stream(catalog, stored).kept_by_law:
        return False  # a document that names several people and that a law keeps is nobody's own
    pesels = KnownValues(value for value in asked if value.kind == "pesel")
    fields = personal_fields(_stream(catalog, stored))
    return bool(pesels.values) and any(
        pesels.find(str(value), personal=True) for path, value in leaves(stored.payload) if fields.is_personal(path)
    )


def _identifiers_in(catalog: Catalog, natural: IsNatural, stored: StoredRecord) -> Iterator[PersonalValue]:
    """The values at the places of the record that identify a person."""
    source = f"{stored.record[0]}.{stored.record[1]}"
    for text in identifying_texts(catalog.entities, natural, _stream(catalog, stored), source, stored.payload):
        for value, _ in values_in(text, personal=True):
            if value.kind != "name":
                yield value


def _names_in(catalog: Catalog, natural: IsNatural, stored: StoredRecord) -> Iterator[PersonalValue]:
    source, stream = f"{stored.record[0]}.{stored.record[1]}", _stream(catalog, stored)
    for entity in _of_persons(catalog.entities, natural, stream, source, stored.payload):
        if entity.person and (name := full_name(_texts(stream, source, stored.payload, entity, entity.person.names))):
            yield name


def _of_persons(
    entities: Mapping[str, Entity], natural: IsNatural, stream: Stream, source: str, payload: object
) -> Iterator[Entity]:
    """The entities by which the record is one of a natural person, be it one who is a company."""
    for entity in entities.values():
        if entity.person and source in entity.streams:
            organisation = _texts(stream, source, payload, entity, entity.person.unless)
            if not any(text.strip(" -") for text in organisation) or natural(
                *company_in(entity, stream, source, payload)
            ):
                yield entity


def _texts(stream: Stream, source: str, payload: object, entity: Entity, attributes: Sequence[str]) -> Iterator[str]:
    """What stands in the fields from which the record gives these attributes."""
    for attribute in attributes:
        rule: Rule | None = entity.attributes[attribute].sources.get(source)
        for name in rule.fields if rule else ():
            place = places_of(name, stream.fields[name])[0]
            yield from (str(value) for path, value in leaves(payload) if matches(path, place))


def _stream(catalog: Catalog, stored: StoredRecord) -> Stream:
    return catalog.systems[stored.record[0]].streams[stored.record[1]]


def _golden_of(connection: psycopg.Connection, catalog: Catalog, records: set[RecordId]) -> set[GoldenId]:
    """The golden records of persons to which the records belong or have belonged."""
    names = ["|".join(record) for record in sorted(records)]
    found: set[GoldenId] = set()
    for name, entity in catalog.entities.items():
        if entity.person:
            found |= {
                (name, golden_id)
                for (golden_id,) in connection.execute(
                    sql.SQL(
                        "select distinct x.{id}::text from conformed.{crosswalk} as x where x.record = any (%s)"
                        " and (select {organisation} from conformed.{version} as v where v.{id} = x.{id}"
                        " and num_nonnulls({unless}) > 0) is not true"
                    ).format(
                        id=sql.Identifier(f"{name}_id"),
                        crosswalk=sql.Identifier(f"{name}_crosswalk_version"),
                        version=sql.Identifier(f"{name}_version"),
                        unless=sql.SQL(", ").join([sql.SQL("null"), *map(sql.Identifier, entity.person.unless)]),
                        organisation=is_organisation(entity),
                    ),
                    (names,),
                )
            }
    return found


def _of_a_person(connection: psycopg.Connection, catalog: Catalog, golden: GoldenId) -> set[RecordId]:
    """The records of a golden record. Raises Fatal where there is none, or it is not one of a person."""
    name, golden_id = golden
    entity = catalog.entities.get(name)
    if entity is None or entity.person is None:
        raise Fatal(f"{name} is no entity of persons (catalog/entities/{name}.yaml has no `person`). Nothing was done.")
    if not (found := _members_of(connection, golden)):
        raise Fatal(f"There is no golden record {name}/{golden_id} in conformed.{name}. Nothing was done.")
    return found


def _members_of(connection: psycopg.Connection, golden: GoldenId) -> set[RecordId]:
    """The records that belong or have belonged to a golden record."""
    name, golden_id = golden
    rows = connection.execute(
        sql.SQL("select distinct system, stream, key from conformed.{} where {}::text = %s").format(
            sql.Identifier(f"{name}_crosswalk_version"), sql.Identifier(f"{name}_id")
        ),
        (golden_id,),
    ).fetchall()
    return {(system, stream, key) for system, stream, key in rows}
