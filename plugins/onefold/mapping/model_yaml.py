"""The YAML beside the generated models: sources, columns with their meaning, and one dbt unit test per example."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping

from ruamel.yaml import YAML

from onefold.catalog.entity import Attribute, Entity, Example, Scalar
from onefold.catalog.system import System
from onefold.mapping.example import example_record
from onefold.mapping.model import feeding_streams, feeding_systems, header, model_name
from onefold.mapping.sql import literal

Yaml = dict[str, "Yaml"] | list["Yaml"] | Scalar

# What every mapped model has before the entity's attributes: column, type, meaning.
RECORD_COLUMNS = (
    ("_record", "text", "The record: system|stream|key."),
    ("_system", "text", "The system that the record is from."),
    ("_stream", "text", "The stream that the record is from."),
    ("_key", "text", "The record's key in its stream."),
    ("_load_id", "bigint", "The load that brought the version which is mapped here (ops.load)."),
    ("_deleted", "boolean", "The source has deleted the record."),
    ("_extracted_at", "timestamptz", "When that version was read from the source."),
    ("_mapping_version", "int", "The version of the catalogue's mapping that made this row."),
)
_NO_RECORDS = (
    "select null::text as _key, null::jsonb as _payload, null::boolean as _deleted, null::bigint as _load_id, "
    "null::timestamptz as _extracted_at where false"
)
_NO_LOADS = "select null::bigint as publish_id, null::bigint as load_id where false"


def sources_yaml(entities: Mapping[str, Entity]) -> str:
    """The dbt sources that the generated models read."""
    streams = sorted({stream for entity in entities.values() for stream in entity.streams})
    tables: list[Yaml] = []
    for stream in streams:
        name = stream.replace(".", "__")
        tables.append({"name": name, "description": f"Every version of {stream}'s records."})
        tables.append({"name": f"{name}__current", "description": f"The newest version of {stream}'s records."})
    conformed: list[Yaml] = [{"name": name, "description": each.title} for name, each in entities.items()]
    ops: list[Yaml] = [
        {"name": "publish_load", "description": "The loads that each conform run takes in."},
        {"name": "answer", "description": "When each source that is asked one value at a time last answered."},
    ]
    document: Yaml = {
        "version": 2,
        "sources": [
            {"name": "staging", "schema": "{{ var('shadow', '') }}staging", "tables": tables},
            {"name": "conformed", "schema": "conformed", "tables": conformed},
            {"name": "ops", "schema": "ops", "tables": ops},
        ],
    }
    systems = sorted({system for entity in entities.values() for system in feeding_systems(entity)})
    return header(list(entities), systems, "#") + _dump(document)


def model_yaml(entity: Entity, system: System) -> str:
    """The properties and unit tests of one mapped model."""
    name = model_name(system.system, entity.entity)
    columns: list[Yaml] = [
        {"name": column, "data_type": kind, "description": meaning} for column, kind, meaning in RECORD_COLUMNS
    ]
    columns += [_column(attribute, entity.attributes[attribute]) for attribute in entity.attributes]
    document: Yaml = {
        "version": 2,
        "models": [
            {
                "name": name,
                "description": f"{entity.title} as {system.title} knows it: one row a record, every attribute typed.",
                "columns": columns,
            }
        ],
        "unit_tests": [*_example_tests(entity, system, name), _increment_test(entity, system, name)],
    }
    return header([entity.entity], [system.system], "#") + _dump(document)


def _column(name: str, attribute: Attribute) -> Yaml:
    return {
        "name": name,
        "data_type": attribute.type,
        "description": attribute.meaning,
        "config": {"meta": {"personal": attribute.personal}},
    }


def _example_tests(entity: Entity, system: System, model: str) -> Iterator[Yaml]:
    for stream in feeding_streams(entity, system.system):
        for name, attribute in entity.attributes.items():
            rule = attribute.sources.get(f"{system.system}.{stream}")
            if rule is None:
                continue
            origin = " + ".join(rule.fields) or f"constant {rule.constant}"
            for number, example in enumerate(rule.examples, 1):
                payload = example_record(rule, system.streams[stream], example)
                versions = {stream: _record_row("1", payload, 1)}
                yield {
                    "name": f"{model}__{name}__{stream}_{number}",
                    "description": f"{name} from {origin} by {rule.transform}: {_said(example)}",
                    "model": model,
                    "overrides": {"macros": {"is_incremental": False}},
                    "given": _given(entity, system.system, versions, {}, _NO_LOADS),
                    "expect": {"rows": [{name: example.then}]},
                }


def _increment_test(entity: Entity, system: System, model: str) -> Yaml:
    """Only what came or went with the publish's loads is mapped; what lost its last version comes as deleted."""
    stream = feeding_streams(entity, system.system)[0]
    versions = "select 'changed' as _key, 7::bigint as _load_id union all select 'unchanged', 6"
    current = f"{_record_row('changed', {}, 7)} union all {_record_row('unchanged', {}, 6)}"
    this = (
        f"select 'rolled back'::text as _key, 7::bigint as _load_id, "
        f"{literal(system.system)}::text as _system, {literal(stream)}::text as _stream"
    )
    given = _given(
        entity,
        system.system,
        {stream: versions},
        {stream: current},
        "select 9::bigint as publish_id, 7::bigint as load_id",
    )
    prefix = f"{system.system}|{stream}|"
    return {
        "name": f"{model}__maps_what_the_publish_takes_in",
        "description": "An incremental run maps the records whose versions came or went with the publish's loads.",
        "model": model,
        "overrides": {"macros": {"is_incremental": True}, "vars": {"publish_id": 9}},
        "given": [*given, _input("this", this)],
        "expect": {
            "rows": [
                {"_record": f"{prefix}changed", "_deleted": False, "_load_id": 7},
                {"_record": f"{prefix}rolled back", "_deleted": True, "_load_id": 7},
            ]
        },
    }


def _given(entity: Entity, system: str, versions: dict[str, str], current: dict[str, str], loads: str) -> list[Yaml]:
    """The inputs of a unit test: dbt wants every source of the model, so the others are given without rows."""
    given: list[Yaml] = []
    for stream in feeding_streams(entity, system):
        table = f"{system}__{stream}"
        given.append(_input(f"source('staging', '{table}')", versions.get(stream, _NO_RECORDS)))
        given.append(_input(f"source('staging', '{table}__current')", current.get(stream, _NO_RECORDS)))
    given.append(_input("source('ops', 'publish_load')", loads))
    return given


def _input(name: str, rows: str) -> Yaml:
    return {"input": name, "format": "sql", "rows": rows}


def _record_row(key: str, payload: object, load_id: int) -> str:
    record = literal(json.dumps(payload, ensure_ascii=False))
    return (
        f"select {literal(key)}::text as _key, {record}::jsonb as _payload, false as _deleted, "
        f"{load_id}::bigint as _load_id, timestamptz '2026-01-01 00:00:00Z' as _extracted_at"
    )


def _said(example: Example) -> str:
    given = json.dumps(example.given, ensure_ascii=False)
    return f"{given} → {json.dumps(example.then, ensure_ascii=False)}"


def _dump(document: Yaml) -> str:
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = io.StringIO()
    yaml.dump(document, text)
    return text.getvalue()
