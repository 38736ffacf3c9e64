"""What dbt is told of the generated models: the sources, every model and column with its meaning, and unit tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from onefold.catalog.entity import Attribute, Entity
from onefold.catalog.system import System
from onefold.mapping.generated import header
from onefold.mapping.mapped_model import model_name
from onefold.mapping.resolution_columns import resolution_models
from onefold.mapping.unit_tests import anchors, unit_tests
from onefold.mapping.yaml_text import Alias, Yaml, flow

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


def sources_yaml(entities: Mapping[str, Entity]) -> str:
    """The dbt sources that the generated models read."""
    streams = sorted({stream for entity in entities.values() for stream in entity.streams})
    staging: list[Yaml] = []
    for stream in streams:
        name = stream.replace(".", "__")
        staging.append({"name": name, "description": f"Every version of {stream}'s records."})
        staging.append({"name": f"{name}__current", "description": f"The newest version of {stream}'s records."})
    conformed: list[Yaml] = [{"name": name, "description": each.title} for name, each in entities.items()]
    conformed += [
        {"name": f"{name}_unmasked", "description": f"{each.title}; natural persons too. Mask what a mart shows of it."}
        for name, each in entities.items()
        if each.parties
    ]
    conformed += [
        {
            "name": f"{name}_crosswalk",
            "description": f"Which record of which system belongs to which golden record ({each.title}).",
        }
        for name, each in entities.items()
    ]
    ops: list[Yaml] = [
        {"name": "publish_load", "description": "The loads that each conform run takes in."},
        {"name": "lookup_cache", "description": "What each source that is asked one value at a time answered last."},
    ]
    lines = ["version: 2", "sources:"]
    for name, schema, tables in (
        ("staging", "{{ var('shadow', '') }}staging", staging),
        ("conformed", "conformed", conformed),
        ("ops", "ops", ops),
    ):
        lines += [f"  - name: {name}", f"    schema: {flow(schema)}", "    tables:"]
        lines += [f"      - {flow(table)}" for table in tables]
    return header(["*"], "#") + "\n".join(lines) + "\n"


def entity_yaml(entity: Entity, systems: Mapping[str, System]) -> str:
    """The properties of all the entity's models, and the unit tests of the mapped ones."""
    lines = ["version: 2", "models:"]
    for number, system in enumerate(entity.systems):
        title = f"{entity.title} as {systems[system].title} knows it: one row a record, every attribute typed."
        lines.append(f"  - name: {model_name(system, entity.entity)}")
        lines.append(f"    description: {flow(title)}")
        lines += ["    columns: *columns"] if number else ["    columns: &columns", *_mapped_columns(entity)]
    lines += [f"  - {flow(model)}" for model in resolution_models(entity)]
    lines.append("unit_tests:")
    shared = anchors(entity)
    for system in entity.systems:
        for test in unit_tests(entity, systems[system]):
            lines += _unit_test(test, shared)
    return header([entity.entity], "#") + "\n".join(lines) + "\n"


def _mapped_columns(entity: Entity) -> Iterator[str]:
    """A line a column. Those of the attributes have their names as anchors: other models have them too."""
    for column, kind, meaning in RECORD_COLUMNS:
        yield f"      - {flow({'name': column, 'data_type': kind, 'description': meaning})}"
    for name, attribute in entity.attributes.items():
        yield f"      - &{name} {flow(_column(name, attribute))}"


def _column(name: str, attribute: Attribute) -> Yaml:
    return {
        "name": name,
        "data_type": attribute.type,
        "description": attribute.meaning,
        "config": {"meta": {"personal": attribute.personal}},
    }


def _unit_test(test: dict[str, Yaml], not_yet_defined: dict[str, Yaml]) -> Iterator[str]:
    """The lines of a unit test; what several share is written out, and named, where it comes first."""

    def shared(value: Yaml) -> str:
        if isinstance(value, Alias) and value.name in not_yet_defined:
            return f"&{value.name} {flow(not_yet_defined.pop(value.name))}"
        return flow(value)

    yield f"  - name: {test['name']}"
    for key, value in list(test.items())[1:]:
        if isinstance(value, list):
            yield f"    {key}:"
            yield from (f"      - {shared(each)}" for each in value)
        else:
            yield f"    {key}: {shared(value)}"
