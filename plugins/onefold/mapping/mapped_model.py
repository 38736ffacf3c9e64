"""The dbt model of one system's part of one entity: mapped/<system>__<entity>.sql."""

from __future__ import annotations

import json

from onefold.catalog.entity import Attribute, Entity, Rule
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.mapping.generated import header
from onefold.mapping.sql import country_sql, input_sql, record_prefix, transform_sql, transform_types


def model_name(system: str, entity: str) -> str:
    """The dbt model that maps a system's records into an entity."""
    return f"{system}__{entity}"


def model_sql(entity: Entity, system: System) -> str:
    """The text of the dbt model. Raises Fatal when a rule names an unknown field or transform, or the types differ."""
    name, streams = entity.entity, entity.streams_of(system.system)
    config = f"{{{{ config(tags=['{name}']) }}}}"
    records = ",\n".join(
        f"{stream}_records as ({{{{ records_to_map('{name}', '{system.system}', '{stream}') }}}})" for stream in streams
    )
    selects = "\nunion all\n".join(_select(entity, system.system, each, system.streams[each]) for each in streams)
    return f"{header([name], '--')}{config}\nwith {records}\n{selects}\n"


def _select(entity: Entity, system: str, stream_name: str, stream: Stream) -> str:
    columns = [f"{{{{ record_columns('{system}', '{stream_name}', {entity.version}) }}}}"]
    for name, attribute in entity.attributes.items():
        rule = attribute.sources.get(f"{system}.{stream_name}")
        value = f"null::{attribute.type}" if rule is None else _call(entity, name, attribute, rule, stream)
        columns.append(f"{value} as {name}")
    return "select\n    " + ",\n    ".join(columns) + f"\nfrom {stream_name}_records"


def _call(entity: Entity, name: str, attribute: Attribute, rule: Rule, stream: Stream) -> str:
    where = f"catalog/entities/{entity.entity}.yaml: attribute {name}"
    try:
        country = country_sql(rule, stream)
        transform_sql(rule.transform, *input_sql(rule, stream), codes=rule.codes, country=country)
    except Fatal as error:
        raise Fatal(f"{where}: {error}") from error
    gives = transform_types()[rule.transform]
    if gives != attribute.type:
        raise Fatal(
            f"{where} has type {attribute.type}, but transform {rule.transform} gives {gives}; "
            "change the type or name another transform"
        )
    arguments = [json.dumps(each, ensure_ascii=False) for each in input_sql(rule, stream)]
    if rule.codes is not None:
        arguments.append(json.dumps(rule.codes, ensure_ascii=False))
    if country is not None:
        arguments.append(f"country={json.dumps(country, ensure_ascii=False)}")
    value = f"{rule.transform}({', '.join(arguments)})"
    if rule.constant is None and name not in entity.identity.attributes:
        value = f"unless_withheld('{entity.entity}.{name}', {value})"
    return f"{record_prefix(rule)}{{{{ {value} }}}}"
