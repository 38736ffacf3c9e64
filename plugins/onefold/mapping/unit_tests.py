"""The dbt unit tests of the mapped models: one an example of the catalogue, and one that an increment maps enough."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256

from onefold.catalog.entity import Entity, Example
from onefold.catalog.model import IDENTIFIER_BYTES
from onefold.catalog.system import System
from onefold.mapping.example import example_record
from onefold.mapping.mapped_model import model_name
from onefold.mapping.sql import literal
from onefold.mapping.yaml_text import Alias, Yaml

_NO_RECORDS = (
    "select null::text as _key, null::jsonb as _payload, null::jsonb as _withheld, null::boolean as _deleted, "
    "null::bigint as _load_id, null::timestamptz as _extracted_at where false"
)
_NO_LOADS = "select null::bigint as publish_id, null::bigint as load_id where false"


def anchors(entity: Entity) -> dict[str, Yaml]:
    """What the tests of the entity's models share, by the name under which they refer to it."""
    shared: dict[str, Yaml] = {
        "first_run": {"macros": {"is_incremental": False}},
        "next_run": {"macros": {"is_incremental": True}, "vars": {"publish_id": 9}},
        "no_loads": _input("source('ops', 'publish_load')", _NO_LOADS),
    }
    for stream in entity.streams:
        table = stream.replace(".", "__")
        shared[f"no_{table}"] = _input(f"source('staging', '{table}')", _NO_RECORDS)
        shared[f"no_{table}__current"] = _input(f"source('staging', '{table}__current')", _NO_RECORDS)
    return shared


def unit_tests(entity: Entity, system: System) -> Iterator[dict[str, Yaml]]:
    """The unit tests of the model of the system's part of the entity."""
    yield from _example_tests(entity, system)
    yield _increment_test(entity, system)


def _name(full: str) -> str:
    """The name of a unit test, as dbt also names a relation: one too long for PostgreSQL ends with a digest."""
    if len(full) <= IDENTIFIER_BYTES:
        return full
    return f"{full[: IDENTIFIER_BYTES - 9]}_{sha256(full.encode()).hexdigest()[:8]}"


def _example_tests(entity: Entity, system: System) -> Iterator[dict[str, Yaml]]:
    model = model_name(system.system, entity.entity)
    for stream in entity.streams_of(system.system):
        for name, attribute in entity.attributes.items():
            rule = attribute.sources.get(f"{system.system}.{stream}")
            if rule is None:
                continue
            source = " + ".join(rule.inputs) or f"constant {rule.constant}"
            for number, example in enumerate(rule.examples, 1):
                payload = example_record(rule, system.streams[stream], example)
                versions = {stream: _record_row("1", payload, 1)}
                yield {
                    "name": _name(f"{model}__{name}__{stream}_{number}"),
                    "description": f"{name} from {source} by {rule.transform}: {_shown(example)}",
                    "model": model,
                    "overrides": Alias("first_run"),
                    "given": [*_given(entity, system.system, versions, {}), Alias("no_loads")],
                    "expect": {"rows": [{name: example.then}]},
                }


def _increment_test(entity: Entity, system: System) -> dict[str, Yaml]:
    """Only what came or went with the publish's loads is mapped; what lost its last version comes as deleted."""
    model = model_name(system.system, entity.entity)
    stream = entity.streams_of(system.system)[0]
    versions = "select 'changed' as _key, 7::bigint as _load_id union all select 'unchanged', 6"
    current = f"{_record_row('changed', {}, 7)} union all {_record_row('unchanged', {}, 6)}"
    mapped_before = (
        f"select 'rolled back'::text as _key, 7::bigint as _load_id, "
        f"{literal(system.system)}::text as _system, {literal(stream)}::text as _stream"
    )
    taken_in = "select 9::bigint as publish_id, 7::bigint as load_id"
    prefix = f"{system.system}|{stream}|"
    return {
        "name": _name(f"{model}__increment"),
        "description": "An incremental run maps the records whose versions came or went with the publish's loads.",
        "model": model,
        "overrides": Alias("next_run"),
        "given": [
            *_given(entity, system.system, {stream: versions}, {stream: current}),
            _input("source('ops', 'publish_load')", taken_in),
            _input("this", mapped_before),
        ],
        "expect": {
            "rows": [
                {"_record": f"{prefix}changed", "_deleted": False, "_load_id": 7},
                {"_record": f"{prefix}rolled back", "_deleted": True, "_load_id": 7},
            ]
        },
    }


def _given(entity: Entity, system: str, versions: dict[str, str], current: dict[str, str]) -> list[Yaml]:
    """The inputs of a unit test: dbt wants every source of the model, so the others are given without rows."""
    given: list[Yaml] = []
    for stream in entity.streams_of(system):
        for table, rows in ((f"{system}__{stream}", versions), (f"{system}__{stream}__current", current)):
            given.append(
                _input(f"source('staging', '{table}')", rows[stream]) if stream in rows else Alias(f"no_{table}")
            )
    return given


def _input(name: str, rows: str) -> dict[str, Yaml]:
    return {"input": name, "format": "sql", "rows": rows}


def _record_row(key: str, payload: object, load_id: int) -> str:
    record = literal(json.dumps(payload, ensure_ascii=False))
    return (
        f"select {literal(key)}::text as _key, {record}::jsonb as _payload, null::jsonb as _withheld, "
        f"false as _deleted, {load_id}::bigint as _load_id, timestamptz '2026-01-01 00:00:00Z' as _extracted_at"
    )


def _shown(example: Example) -> str:
    given = json.dumps(example.given, ensure_ascii=False)
    return f"{given} → {json.dumps(example.then, ensure_ascii=False)}"
