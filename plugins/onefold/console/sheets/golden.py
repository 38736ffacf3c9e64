"""Sheets of what is published: entity, attribute, mart and its columns."""

from __future__ import annotations

from collections.abc import Iterator

from onefold.catalog.entity import SYSTEM, Attribute, Entity, Rule
from onefold.console.sheets.sheet import (
    Link,
    Row,
    Sheet,
    attribute_link,
    class_link,
    entity_link,
    facts,
    field_link,
    stream_link,
    system_link,
    table,
)
from onefold.insight.dictionary import Dictionary


def entity_sheet(dictionary: Dictionary, name: str) -> Sheet:
    """How golden records of an entity come about, and its attributes."""
    entity = dictionary.entities[name]
    attributes = (
        Row(
            attribute,
            (
                attribute_link(name, attribute, whole=False),
                meant.type,
                meant.meaning,
                class_link(meant.personal),
                [stream_link(each) for each in meant.sources],
            ),
        )
        for attribute, meant in entity.attributes.items()
    )
    probabilistic = entity.identity.probabilistic
    return Sheet(
        "entity",
        name,
        entity.title,
        facts(
            view=f"conformed.{name}",
            joined_by=[_identifier(each) for each in entity.identity.identifiers],
            else_by=f"{probabilistic.name} with {', '.join(probabilistic.address)}" if probabilistic else "",
            most_trusted_first=[system_link(each) for each in entity.trust],
            ended_records_last=f"{entity.living.attribute}: {', '.join(entity.living.ended)}" if entity.living else "",
            a_person_is_found_by=[attribute_link(name, each, whole=False) for each in _person(entity)],
            mapping_version=str(entity.version),
            expectations=Link("suite", name, name),
        ),
        [table("Attributes", ("Attribute", "Type", "Meaning", "Personal data", "From"), attributes)],
        lineage=True,
    )


def attribute_sheet(dictionary: Dictionary, name: str) -> Sheet:
    """What an attribute means, and from which fields it comes by which transform."""
    owner, _, own = name.partition(".")
    entity = dictionary.entities[owner]
    attribute = entity.attributes[own]
    trust = attribute.trust or entity.trust
    sources = (
        Row(
            stream,
            (
                stream_link(stream),
                [field_link(stream, field) for field in rule.fields] or f"the constant {rule.constant}",
                Link("transform", rule.transform, rule.transform),
                str(trust.index(system) + 1) if (system := stream.partition(".")[0]) in trust else "",
                "; ".join(_particulars(rule)),
            ),
        )
        for stream, rule in attribute.sources.items()
    )
    return Sheet(
        "attribute",
        name,
        attribute.meaning,
        facts(
            column=f"conformed.{owner}.{own}",
            type=attribute.type,
            personal_data=class_link(attribute.personal),
            of_several_values=_survivorship(attribute, by_trust=len(attribute.sources) > 1),
            identifies="records that share it are joined" if own in entity.identity.attributes else "",
            not_understood="the record waits in quarantine" if own in entity.essential else "the value is withheld",
            withheld_with=[attribute_link(owner, each, whole=False) for each in attribute.withheld_with],
            names_a_record_of=entity_link(attribute.references) if attribute.references else "",
        ),
        [
            table("Sources", ("Stream", "Field", "Transform", "Trust", "Particulars"), sources),
            table("Examples", ("From", "Given", "Then"), _examples(attribute)),
        ],
        above=(entity_link(owner),),
        lineage=True,
    )


def mart_sheet(dictionary: Dictionary, name: str) -> Sheet:
    """What a mart answers, and its columns."""
    mart = dictionary.marts[name]
    columns = (
        Row(
            each.name,
            (
                each.name,
                each.meaning,
                ", ".join(test.replace("_", " ") for test in each.tests),
                Link("column", f"{name}.{each.name}", "lineage", page="lineage"),
            ),
        )
        for each in mart.columns.values()
    )
    return Sheet(
        "mart",
        name,
        mart.meaning,
        facts(view=f"marts.{name}"),
        [table("Columns", ("Column", "Meaning", "Tested", "Made of"), columns)],
        lineage=True,
    )


def shown(value: object) -> str:
    """A value of an example as the source writes it, or as the attribute then is."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {shown(each)}" for name, each in value.items())
    if value is None:
        return "nothing"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _examples(attribute: Attribute) -> Iterator[Row]:
    for stream, rule in attribute.sources.items():
        for place, each in enumerate(rule.examples):
            yield Row(f"{stream}-{place}", (stream_link(stream), shown(each.given), shown(each.then)))


def _identifier(parts: list[str]) -> str:
    return " with ".join("the system" if part == SYSTEM else part for part in parts)


def _person(entity: Entity) -> list[str]:
    return [*entity.person.identifiers, *entity.person.names] if entity.person else []


def _particulars(rule: Rule) -> Iterator[str]:
    if rule.codes:
        yield "codes " + ", ".join(f"{code} = {meaning}" for code, meaning in rule.codes.items())
    if rule.null_values:
        yield "nothing is written " + ", ".join(rule.null_values)
    for field, values in rule.unless.items():
        yield f"not where {field} is {' or '.join(values)}"
    if rule.countries:
        yield f"country by {', '.join(rule.countries)}"
    if rule.abroad:
        yield "another country's number is no mistake"
    if rule.record:
        yield f"a key of {rule.record}"


def _survivorship(attribute: Attribute, *, by_trust: bool) -> str:
    if attribute.survivorship == "latest":
        return "the greatest value counts, whoever says it"
    if attribute.survivorship == "total":
        return "the sum over the records of the most trusted system"
    return "that of the most trusted system counts" if by_trust else ""
