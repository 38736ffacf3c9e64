"""Sheets of what comes from a source: system, stream, field."""

from __future__ import annotations

from collections.abc import Iterator

from onefold.catalog.entity import Rule
from onefold.catalog.privacy import StreamPrivacy
from onefold.catalog.stream import Stream
from onefold.console.sheets.sheet import (
    Cell,
    Link,
    Row,
    Sheet,
    attribute_link,
    class_link,
    entity_link,
    facts,
    field_link,
    length,
    since,
    stream_link,
    system_link,
    table,
    yes,
)
from onefold.insight.dictionary import Dictionary


def system_sheet(dictionary: Dictionary, name: str) -> Sheet:
    """How a system is asked, and its streams."""
    system = dictionary.systems[name]
    streams = (
        Row(
            stream,
            (
                Link("stream", f"{name}.{stream}", stream),
                each.title,
                ", ".join(each.primary_key),
                length(each.freshness),
                f"{len(each.fields):,}",
                [entity_link(entity) for entity in _fed(dictionary, f"{name}.{stream}")],
            ),
        )
        for stream, each in system.streams.items()
    )
    return Sheet(
        "system",
        name,
        system.title,
        facts(
            protocol=system.protocol,
            schedule=f"{system.schedule} (cron, UTC)",
            sign_in="" if system.auth.kind == "none" else system.auth.kind,
            connection=system.connection,
            history=since(system.history),
            own_module=f"{system.python.module}: {system.python.why}" if system.python else "",
        ),
        [table("Streams", ("Stream", "What", "Key", "Freshness SLA", "Fields", "Feeds"), streams)],
    )


def stream_sheet(dictionary: Dictionary, name: str) -> Sheet:
    """What a stream's records are, and what becomes of each field."""
    system, _, own = name.partition(".")
    stream = dictionary.systems[system].streams[own]
    privacy = stream.privacy or StreamPrivacy()
    fields = (
        Row(
            field,
            (
                field_link(name, field),
                said.type,
                said.path or "",
                class_link(said.personal),
                yes(said.required),
                [attribute_link(entity, attribute) for entity, attribute, _ in uses(dictionary, name, field)],
            ),
        )
        for field, said in stream.fields.items()
    )
    return Sheet(
        "stream",
        name,
        stream.title,
        facts(
            primary_key=[field_link(name, each) for each in stream.primary_key],
            cursor=[field_link(name, each) for each in (stream.cursor.fields if stream.cursor else ())],
            asked_about=[Link("attribute", each, each) for each in (stream.lookup.attributes if stream.lookup else ())],
            listed_for_each=stream_link(f"{system}.{stream.parent.stream}") if stream.parent else "",
            deletions=", ".join(_deletions(stream)),
            freshness_SLA=length(stream.freshness),
            history=since(stream.history),
            expectations=Link("suite", f"{system}__{own}", f"{system}__{own}"),
            feeds=[entity_link(each) for each in _fed(dictionary, name)],
            purpose=privacy.purpose,
            legal_basis=(privacy.legal_basis or "").replace("_", " "),
            law_or_interest=privacy.law,
            persons="; ".join(privacy.persons),
            recipients="; ".join(privacy.recipients),
        ),
        [table("Fields", ("Field", "Type", "Where in the record", "Personal data", "Required", "Becomes"), fields)],
        above=(system_link(system),),
        lineage=True,
    )


def field_sheet(dictionary: Dictionary, name: str) -> Sheet:
    """What a field is, and which attributes are made of it."""
    system, own, field = name.split(".", 2)
    stream = f"{system}.{own}"
    said = dictionary.systems[system].streams[own].fields[field]
    becomes = (
        Row(
            f"{entity}.{attribute}",
            (
                attribute_link(entity, attribute),
                "value" if field in rule.fields else _as_condition(rule, field),
                Link("transform", rule.transform, rule.transform),
                dictionary.entities[entity].attributes[attribute].meaning,
            ),
        )
        for entity, attribute, rule in uses(dictionary, stream, field)
    )
    return Sheet(
        "field",
        name,
        f"A field of {dictionary.systems[system].streams[own].title}",
        facts(
            type=said.type,
            where_in_the_record=said.path or field,
            personal_data=class_link(said.personal),
            required="yes" if said.required else "no: a record may lack it",
            vanished="the source no longer has it" if said.vanished else "",
        ),
        [
            table(
                "Becomes",
                ("Attribute", "As", "Transform", "Meaning"),
                becomes,
                "No attribute is made of it; it stands in staging.",
            )
        ],
        above=(system_link(system), stream_link(stream)),
        lineage=True,
    )


def uses(dictionary: Dictionary, stream: str, field: str) -> Iterator[tuple[str, str, Rule]]:
    """The attributes whose value a field of the stream makes or decides: entity, attribute and the rule."""
    for name, entity in dictionary.entities.items():
        for attribute, meant in entity.attributes.items():
            rule = meant.sources.get(stream)
            if rule is not None and field in rule.inputs:
                yield name, attribute, rule


def _as_condition(rule: Rule, field: str) -> Cell:
    return (
        "condition: whether it counts" if field in rule.unless else "condition: the country by whose forms it is read"
    )


def _fed(dictionary: Dictionary, stream: str) -> list[str]:
    return [name for name, entity in dictionary.entities.items() if stream in entity.streams]


def _deletions(stream: Stream) -> Iterator[str]:
    deletes = stream.deletes
    if deletes.flag:
        yield f"the field {deletes.flag.field} says so"
    if deletes.tombstones:
        yield "a feed names them"
    if deletes.complete_group:
        yield "what is missing from a newer reading of its group"
    if deletes.sweep:
        yield f"the keys are listed every {length(deletes.sweep.every)}"
