"""What a wrong value costs: the record, one attribute of it, or nothing.

A field that makes the key, the cursor or the delete flag, or that an essential attribute reads (a strong identifier, or
one marked `essential: true`), is essential: while its value is wrong, the whole record waits in quarantine. A wrong
value of any other field is withheld from the attributes that read it; where no mapping reads it, it is only recorded.
In a stream that no mapping reads at all, the records themselves are what is asked for, so every field is essential.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onefold.catalog.entity import Entity
from onefold.catalog.stream import Stream
from onefold.mapping.sql import is_unmapped_sql, rule_text, rules_of, transform_meanings
from onefold.quality.suite import Expectation

OF_ONE_VALUE = frozenset(
    f"expect_column_{rule}"
    for rule in (
        "value_lengths_to_be_between",
        "value_lengths_to_equal",
        "values_to_be_between",
        "values_to_be_in_set",
        "values_to_match_like_pattern",
        "values_to_match_like_pattern_list",
        "values_to_match_regex",
        "values_to_match_regex_list",
        "values_to_not_be_in_set",
        "values_to_not_be_null",
        "values_to_not_match_like_pattern",
        "values_to_not_match_like_pattern_list",
        "values_to_not_match_regex",
        "values_to_not_match_regex_list",
    )
)
"""Expectations of a value by itself. Any other (unique, two columns, SQL) is about the record or the table; so is one
that a field is empty, for what fills it says that the record is bad."""


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A value that the transform of an attribute may not understand; `condition` is SQL over a record's `_payload`.

    `attributes`: this one, and those that say nothing without it.
    """

    attributes: tuple[str, ...]
    essential: bool
    fields: tuple[str, ...]
    condition: str
    text: str
    allowed: str


@dataclass(frozen=True, slots=True)
class Withholding:
    """Of one stream: its essential fields, the attributes that each other field feeds, and what may be unmapped."""

    essential: frozenset[str]
    readers: Mapping[str, tuple[str, ...]]
    unmapped: tuple[Unmapped, ...]

    def attributes(self, field: str) -> tuple[str, ...]:
        """The attributes (entity.attribute) that a wrong value of the field withholds; the field's own name where no
        mapping reads it. Empty: the field is essential."""
        return () if field in self.essential else self.readers.get(field, (field,))

    def broken_rule(self, expectation: Expectation) -> tuple[str, tuple[str, ...]] | None:
        """The field, and what is withheld, where a value breaks the expectation; None where the record has to wait."""
        if expectation.type not in OF_ONE_VALUE:
            return None
        column = expectation.kwargs.get("column")
        for field in self.readers:
            if field.lower() == column and (attributes := self.attributes(field)):
                return field, attributes
        return None


def withholding_of(stream: Stream, source: str, entities: Mapping[str, Entity]) -> Withholding:
    """What a wrong value of the stream (`source`: system.stream) costs, by the mapping catalogue as it is."""
    essential = {*stream.primary_key, *(stream.cursor.fields if stream.cursor else ())}
    if stream.deletes.flag:
        essential.add(stream.deletes.flag.field)
    readers: dict[str, dict[str, None]] = {}
    unmapped = []
    for entity, name, rule in rules_of(entities, source):
        attributes = [name, *(other for other, each in entity.attributes.items() if name in each.withheld_with)]
        named = tuple(f"{entity.entity}.{each}" for each in attributes)
        for field in rule.fields:
            readers.setdefault(field, {}).update(dict.fromkeys(named))
        if name in entity.essential:
            essential.update(rule.fields)
        allowed = f"one of: {', '.join(rule.codes)}" if rule.codes else transform_meanings()[rule.transform]
        unmapped.append(
            Unmapped(
                named,
                name in entity.essential,
                tuple(rule.fields),
                is_unmapped_sql(rule, stream),
                rule_text(entity.entity, name, rule),
                allowed,
            )
        )
    if not readers:
        essential.update(stream.fields)
    return Withholding(
        frozenset(essential),
        {field: tuple(readers.get(field, (field,))) for field in stream.fields},
        tuple(unmapped),
    )
