"""The dbt model of one system's part of one entity: mapped/<system>__<entity>.sql."""

from __future__ import annotations

import json

from onefold.catalog.entity import Attribute, Entity, Rule
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.mapping.sql import origin_sql, record_prefix, transform_sql, transform_types

COMMAND = "bin/onefold generate"
_INDEXES = "{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}"


def header(entities: list[str], systems: list[str], comment: str) -> str:
    """The first line of a generated file."""
    files = [f"catalog/entities/{entity}.yaml" for entity in entities]
    files += [f"catalog/systems/{system}.yaml" for system in systems]
    return f"{comment} generated from {', '.join(files)}; do not edit ({COMMAND})\n"


def feeding_systems(entity: Entity) -> list[str]:
    """The systems that feed the entity, sorted."""
    return sorted({source.partition(".")[0] for source in entity.streams})


def feeding_streams(entity: Entity, system: str) -> list[str]:
    """The system's streams that feed the entity, sorted."""
    return [stream for owner, _, stream in (source.partition(".") for source in entity.streams) if owner == system]


def model_name(system: str, entity: str) -> str:
    return f"{system}__{entity}"


def model_sql(entity: Entity, system: System) -> str:
    """The text of the dbt model. Raises Fatal when a rule names an unknown field or transform, or the types differ."""
    name, streams = entity.entity, feeding_streams(entity, system.system)
    config = f"{{{{ config(tags=['{name}']) }}}}\n{_INDEXES}"
    records = ",\n".join(
        f"{stream}_records as (\n    {{{{ records_to_map('{name}', '{system.system}', '{stream}') }}}}\n)"
        for stream in streams
    )
    selects = "\n\nunion all\n\n".join(_select(entity, system.system, each, system.streams[each]) for each in streams)
    return f"{header([name], [system.system], '--')}{config}\n\nwith {records}\n\n{selects}\n"


def _select(entity: Entity, system: str, stream_name: str, stream: Stream) -> str:
    columns = [
        f"'{system}|{stream_name}|' || _key as _record",
        f"'{system}'::text as _system",
        f"'{stream_name}'::text as _stream",
        "_key",
        "_load_id",
        "_deleted",
        "_extracted_at",
        f"{entity.version}::int as _mapping_version",
    ]
    for name, attribute in entity.attributes.items():
        rule = attribute.sources.get(f"{system}.{stream_name}")
        value = f"null::{attribute.type}" if rule is None else _call(entity, name, attribute, rule, stream)
        columns.append(f"{value} as {name}")
    return "select\n    " + ",\n    ".join(columns) + f"\nfrom {stream_name}_records"


def _call(entity: Entity, name: str, attribute: Attribute, rule: Rule, stream: Stream) -> str:
    where = f"catalog/entities/{entity.entity}.yaml: attribute {name}"
    try:
        transform_sql(rule.transform, *origin_sql(rule, stream), codes=rule.codes)
    except Fatal as error:
        raise Fatal(f"{where}: {error}") from error
    gives = transform_types()[rule.transform]
    if gives != attribute.type:
        raise Fatal(
            f"{where} has type {attribute.type}, but transform {rule.transform} gives {gives}; "
            "change the type or name another transform"
        )
    arguments = [json.dumps(origin, ensure_ascii=False) for origin in origin_sql(rule, stream)]
    if rule.codes is not None:
        arguments.append(json.dumps(rule.codes, ensure_ascii=False))
    return f"{record_prefix(rule)}{{{{ {rule.transform}({', '.join(arguments)}) }}}}"
