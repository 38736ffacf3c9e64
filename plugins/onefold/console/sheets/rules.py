"""Sheets of what many things share: transform, suite, class of personal data."""

from __future__ import annotations

from collections.abc import Iterator

from onefold.catalog.data_protection import read_data_protection
from onefold.catalog.entity import Rule
from onefold.console.sheets.golden import shown
from onefold.console.sheets.sheet import (
    Row,
    Sheet,
    attribute_link,
    entity_link,
    facts,
    field_link,
    length,
    stream_link,
    table,
)
from onefold.insight.dictionary import CLASSES, Dictionary
from onefold.mapping.golden import PERSONAL
from onefold.quality.suite import read_suite


def transform_sheet(dictionary: Dictionary, name: str) -> Sheet:
    """What a transform understands, with examples of the catalogue."""
    transform = dictionary.transforms[name]
    used = (
        Row(
            f"{entity}.{attribute}-{stream}",
            (
                attribute_link(entity, attribute),
                stream_link(stream),
                [field_link(stream, each) for each in rule.fields] or f"the constant {rule.constant}",
            ),
        )
        for entity, attribute, stream, rule in _used(dictionary, name)
    )
    examples = (
        Row(
            f"{entity}.{attribute}-{stream}-{place}",
            (shown(each.given), shown(each.then), attribute_link(entity, attribute)),
        )
        for entity, attribute, stream, rule in _used(dictionary, name)
        for place, each in enumerate(rule.examples)
    )
    return Sheet(
        "transform",
        name,
        transform.meaning,
        facts(gives=transform.gives),
        [
            table("Examples", ("Given", "Then", "Of"), examples, "The catalogue has none."),
            table("Used by", ("Attribute", "Stream", "Field"), used, "No attribute uses it."),
        ],
    )


def suite_sheet(dictionary: Dictionary, name: str) -> Sheet:
    """What is expected of a stream's or an entity's records. Raises CatalogError where the suite has mistakes."""
    suite = read_suite(name)
    system, _, stream = name.partition("__")
    of = entity_link(name) if name in dictionary.entities else stream_link(f"{system}.{stream}")
    expectations = (
        Row(
            str(place),
            (
                str(each.kwargs.get("column") or ", ".join(map(str, _listed(each.kwargs.get("column_list"))))),
                each.description or each.rule,
                _arguments(each.kwargs),
                each.severity,
            ),
        )
        for place, each in enumerate(suite.expectations)
    )
    return Sheet(
        "suite",
        name,
        f"What is expected of {of.text}; a record that fails a critical one is not published",
        {},
        [table("Expectations", ("Column", "Is expected", "With", "Severity"), expectations)],
        above=(of,),
    )


def class_sheet(dictionary: Dictionary, name: str) -> Sheet:
    """What a class of personal data is, how long it is kept, and all that has it."""
    (meaning,) = (meaning for each, meaning in CLASSES.items() if each == name)
    kept = next((each for of, each in read_data_protection().retention.items() if of == name), None)
    fields = (
        Row(
            f"{system}.{stream}.{field}",
            (stream_link(f"{system}.{stream}"), field_link(f"{system}.{stream}", field), said.type),
        )
        for system, each in dictionary.systems.items()
        for stream, definition in each.streams.items()
        for field, said in definition.fields.items()
        if said.personal == name
    )
    attributes = (
        Row(f"{entity}.{attribute}", (attribute_link(entity, attribute), meant.meaning))
        for entity, each in dictionary.entities.items()
        for attribute, meant in each.attributes.items()
        if meant.personal == name
    )
    return Sheet(
        "class",
        name,
        meaning,
        facts(
            read_by="members of onefold_pii" if name in PERSONAL else "everybody; of a natural person, onefold_pii",
            replaced_versions_are_kept=length(kept.history) if kept else "",
            deleted_records_are_kept=length(kept.deleted) if kept else "",
            closed_rows_in_quarantine_are_kept=length(kept.quarantine) if kept else "",
            waiting_rows_in_quarantine_are_kept=length(kept.waiting) if kept else "",
        ),
        [
            table("Attributes", ("Attribute", "Meaning"), attributes),
            table("Fields", ("Stream", "Field", "Type"), fields),
        ],
    )


def _used(dictionary: Dictionary, name: str) -> Iterator[tuple[str, str, str, Rule]]:
    """Where the transform is used: entity, attribute, stream and the rule."""
    for entity, each in dictionary.entities.items():
        for attribute, meant in each.attributes.items():
            for stream, rule in meant.sources.items():
                if rule.transform == name:
                    yield entity, attribute, stream, rule


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _arguments(kwargs: dict[str, object]) -> str:
    """What an expectation is given besides the columns that it is about."""
    return "; ".join(
        f"{name.replace('_', ' ')}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in kwargs.items()
        if name not in ("column", "column_list")
    )
