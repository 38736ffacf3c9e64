"""ops.mapping: the mapping in force, stored beside the data that it made, with every earlier one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields

import psycopg
from psycopg import sql

from onefold.catalog.entity import Attribute, Entity
from onefold.catalog.system import System
from onefold.mapping.mapped_model import model_name
from onefold.mapping.sql import rule_sql


@dataclass(frozen=True, slots=True)
class MappingRow:
    """One row of ops.mapping that is in force."""

    entity: str
    attribute: str
    system: str
    stream: str
    fields: list[str]
    constant: str | None
    transform: str
    mapping_version: int
    trust_rank: int
    survivorship: str
    personal_class: str
    hash: bytes

    @property
    def key(self) -> tuple[str, str, str, str]:
        return (self.entity, self.attribute, self.system, self.stream)


def mapping_rows(entities: Mapping[str, Entity], systems: Mapping[str, System]) -> list[MappingRow]:
    """The rows that ops.mapping must have for the catalogue, in the catalogue's order."""
    return [
        _row(entity, name, attribute, source, systems)
        for entity in entities.values()
        for name, attribute in entity.attributes.items()
        for source in attribute.sources
    ]


def _row(entity: Entity, name: str, attribute: Attribute, source: str, systems: Mapping[str, System]) -> MappingRow:
    system, _, stream = source.partition(".")
    rule = attribute.sources[source]
    trust = attribute.trust or entity.trust
    meaning = {
        "version": entity.version,
        "type": attribute.type,
        "fields": rule.inputs,
        "sql": rule_sql(rule, systems[system].streams[stream]),
    }
    return MappingRow(
        entity=entity.entity,
        attribute=name,
        system=system,
        stream=stream,
        fields=rule.inputs,
        constant=rule.constant,
        transform=rule.transform,
        mapping_version=entity.version,
        trust_rank=trust.index(system) + 1 if system in trust else len(trust) + 1,
        survivorship=attribute.survivorship,
        personal_class=attribute.personal,
        hash=hashlib.sha256(json.dumps(meaning, ensure_ascii=False, sort_keys=True).encode()).digest(),
    )


def mapping_fingerprints(entities: Mapping[str, Entity], systems: Mapping[str, System]) -> dict[str, str]:
    """Hashes of what makes golden records, by the part that has to be done again where one is another one.

    `customer:salesforce.account` is how the stream's records are mapped: they are mapped again. `customer:resolution`
    is what joins records and chooses values: all of the entity's records are resolved again, and none is mapped.
    """
    parts = {resolution_part(name): [repr(_resolution(entity))] for name, entity in entities.items()}
    for row in mapping_rows(entities, systems):
        parts[resolution_part(row.entity)].append(repr((*row.key, row.trust_rank, row.personal_class)))
        by_identifier = row.attribute in entities[row.entity].identity.attributes  # such a value is never withheld
        values = (row.attribute, row.fields, row.constant, row.transform, row.mapping_version, row.hash, by_identifier)
        parts.setdefault(stream_part(row.entity, f"{row.system}.{row.stream}"), []).append(repr(values))
    return {name: hashlib.sha256("\n".join(part).encode()).hexdigest() for name, part in parts.items()}


def resolution_part(entity: str) -> str:
    """How mapping_fingerprints and the dbt variable full_mapping name what joins the entity's records."""
    return f"{entity}:resolution"


def stream_part(entity: str, stream: str) -> str:
    """How they name the mapping of a stream (system.stream) into the entity."""
    return f"{entity}:{stream}"


def entity_of(part: str) -> str:
    """The entity that a part belongs to."""
    return part.partition(":")[0]


def _resolution(entity: Entity) -> tuple[object, ...]:
    attributes = [
        (name, each.type, each.survivorship, each.trust, each.withheld_with) for name, each in entity.attributes.items()
    ]
    identity = entity.identity.model_dump()
    return entity.streams, entity.trust, identity, entity.living and entity.living.model_dump(), attributes


def mapping_versions(entities: Mapping[str, Entity], stream: str) -> dict[str, int]:
    """The version of the mapping of each entity that is made of the stream (system.stream), by entity."""
    return {name: entity.version for name, entity in sorted(entities.items()) if stream in entity.streams}


def sync_mapping(
    connection: psycopg.Connection, entities: Mapping[str, Entity], systems: Mapping[str, System]
) -> frozenset[str]:
    """Make ops.mapping agree with the catalogue, and return the mapped models (<system>__<entity>) to build anew.

    A rule that changed or was removed keeps its row, with the moment until which it was in force. A model is built
    anew (dbt var full_mapping) when one of its rules made other values before; new trust alone does not do that.
    The caller's transaction decides: run it in the one that also records that the models were built.
    """
    columns = sql.SQL(", ").join(sql.Identifier(field.name) for field in fields(MappingRow))
    select = sql.SQL("select {} from ops.mapping where valid_to is null for update").format(columns)
    before = {row.key: row for row in (MappingRow(*values) for values in connection.execute(select))}
    required = {row.key: row for row in mapping_rows(entities, systems)}
    changed = [key for key in before.keys() | required.keys() if before.get(key) != required.get(key)]
    with connection.cursor() as cursor:
        cursor.executemany(
            "update ops.mapping set valid_to = clock_timestamp() where valid_to is null "
            "and entity = %s and attribute = %s and system = %s and stream = %s",
            [key for key in changed if key in before],
        )
        insert = sql.SQL("insert into ops.mapping ({}) values ({})").format(
            columns, sql.SQL(", ").join(sql.Placeholder() * len(fields(MappingRow)))
        )
        cursor.executemany(insert, [astuple(required[key]) for key in changed if key in required])
    return frozenset(
        model_name(key[2], key[0])
        for key in changed
        if key not in before or key not in required or before[key].hash != required[key].hash
    )
