"""Why a row waits in quarantine, or a value is withheld, in words: the field, how it is, and what would be allowed.

The quarantine has the expectation's name and reason as they were then; what is allowed comes from the suite, the stream
and the transforms as they are now.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from onefold.catalog.entity import Entity
from onefold.catalog.stream import Stream
from onefold.mapping.sql import rules_of, transform_meanings
from onefold.quality.suite import Expectation, Suite

_READING = re.compile(r"(.+?) (is missing|is not \w+|cannot be read as \w+|begins like a formula)")
_RULE = re.compile(r"(\w+)\.(\w+)<-([^()]+?) \((\w+)\)")
_PLAIN = re.compile(r"[\w.:+-]+")
"""A number, a date, a code: needs no quotes."""
_CURSOR = "the cursor ("
_FINDINGS = ("_unparsed", "_unmapped")
_NO_LONGER = "The suite does not ask for it any more: a replay lets it through."


@dataclass(frozen=True, slots=True)
class Why:
    """One thing that is wrong. `field` as the catalogue names it, None where it is about the whole row; `text` says how
    it is, `allowed` how it should be (None: `text` says all)."""

    field: str | None
    text: str
    allowed: str | None
    expectation: str

    def __str__(self) -> str:
        return f"{self.text}; allowed: {self.allowed}" if self.allowed else self.text


@dataclass(frozen=True, slots=True)
class Context:
    """What a stream's reasons are explained by, as it is now; None where the catalogue has it no more."""

    suite: Suite | None
    stream: Stream | None
    entities: Mapping[str, Entity]
    name: str
    """system.stream"""


def why(
    context: Context,
    expectation: str,
    reason: str,
    *,
    value_kind: str | None = None,
    values: Mapping[str, str] | None = None,
) -> Sequence[Why]:
    """All that is wrong by the texts of the quarantine, what is about the reading of a field first; never nothing.

    `value_kind` and `values`, by field, say what stands there, where that may be shown.
    """
    shown = _Shown(value_kind, values or {})
    found = [
        *_readings(context, reason, expectation, shown),
        *_broken(context, reason, expectation, shown),
        *_unmapped(context, reason, shown),
    ]
    return found or [Why(None, reason, None, expectation)]


def in_short(reasons: Sequence[Why]) -> Sequence[Why]:
    """Of each field the first only: what cannot be read is neither mapped, nor in a range, nor a cursor."""
    first = list({each.field or each.text: each for each in reversed(reasons)}.values())[::-1]
    named = [each for each in first if each.field]
    return [each for each in first if not (each.text.startswith(_CURSOR) and named)]


@dataclass(frozen=True, slots=True)
class _Shown:
    kind: str | None
    values: Mapping[str, str]

    def of(self, field: str, otherwise: str) -> str:
        """How the field's value is, in words; `otherwise` where nothing of it may be shown."""
        if field in self.values:
            value = self.values[field]
            return f"{field} is {value}" if _PLAIN.fullmatch(value) else f"{field} is “{value}”"
        if self.kind:
            kind = {"null": "null", "missing": "missing", "number": "a number", "string": "a text"}.get(self.kind)
            return f"{field} is {kind or self.kind}"
        return f"{field} {otherwise}"


def _readings(context: Context, reason: str, expectation: str, shown: _Shown) -> Iterator[Why]:
    if "(_unparsed)" not in expectation:
        return
    for part in reason.split("; "):
        if part.startswith(_CURSOR):
            yield Why(None, part, "a value by which changes are ordered", "_unparsed")
        elif (said := _READING.fullmatch(part)) and (context.stream is None or said[1] in context.stream.fields):
            field, how = said.groups()
            allowed = {"is missing": "a value", "begins like a formula": "a text that no spreadsheet runs"}.get(how)
            is_now = shown.of(field, how) if field in shown.values else f"{field} {how}"
            yield Why(field, is_now, allowed or f"a value of type {how.rsplit(' ', 1)[1]}", "_unparsed")


def _broken(context: Context, reason: str, expectation: str, shown: _Shown) -> Iterator[Why]:
    labels = [each for each in expectation.split(", ") if not any(f"({name})" in each for name in _FINDINGS)]
    written = context.suite.expectations if context.suite else []
    for label in labels:
        known = [each for each in written if each.label == label and each.reason in reason]
        for each in known:
            yield _of_expectation(each, context.stream, shown)
        if not known and label.startswith(("expect_", "unexpected_rows")):
            column = re.search(r"\((.+)\)$", label)
            field = _field(column[1], context.stream) if column else None
            gone = _NO_LONGER if context.suite and context.stream else None
            yield Why(field, _part_about(reason, column[1] if column else None), gone, label)


def _unmapped(context: Context, reason: str, shown: _Shown) -> Iterator[Why]:
    codes = {
        (entity.entity, name): rule.codes
        for entity, name, rule in rules_of(context.entities, context.name)
        if rule.codes
    }
    for entity, attribute, fields, transform in _RULE.findall(reason):
        field = fields.replace("+", " and ")
        given = codes.get((entity, attribute))
        allowed = (
            f"one of: {', '.join(given)}" if given else _first_words(transform_meanings().get(transform, transform))
        )
        text = shown.of(field, "is not understood")
        yield Why(field, f"{text}, and {entity}.{attribute} is made of it", allowed, "_unmapped")


def _of_expectation(expectation: Expectation, stream: Stream | None, shown: _Shown) -> Why:
    given = expectation.kwargs
    column = given.get("column")
    field = _field(str(column), stream) if column else None
    if field is None:
        return Why(None, expectation.description or _about_columns(expectation, stream), None, expectation.label)
    otherwise, allowed = _rule(expectation)
    text = shown.of(field, otherwise)
    if expectation.description:
        text = f"{text}: {expectation.description}"
    return Why(field, text, allowed, expectation.label)


def _rule(expectation: Expectation) -> tuple[str, str | None]:
    """How a value is that breaks the expectation, and what is allowed."""
    given = expectation.kwargs
    match expectation.type.removeprefix("expect_column_"):
        case "values_to_not_be_null":
            return "is empty", "a value"
        case "values_to_be_null":
            return "is filled", "nothing"
        case "values_to_be_in_set":
            return "is none of the allowed values", _listed(given.get("value_set"))
        case "values_to_not_be_in_set":
            return "is one of the values that are not allowed", f"anything but {_listed(given.get('value_set'))}"
        case "values_to_be_between":
            return "is out of range", _span(given)
        case "value_lengths_to_be_between":
            return "is too short or too long", f"{_span(given)} characters"
        case "value_lengths_to_equal":
            return "is of the wrong length", f"{given.get('value')} characters"
        case "values_to_match_regex":
            return "is not of the right form", f"a text that matches {given.get('regex')}"
        case "values_to_be_unique":
            return "is the same in several records", "a value that no other record has"
    more = ", ".join(f"{name} {value}" for name, value in given.items() if name != "column")
    return f"fails “{expectation.rule}”", more or None


def _about_columns(expectation: Expectation, stream: Stream | None) -> str:
    given = expectation.kwargs
    match expectation.type:
        case "expect_column_pair_values_a_to_be_greater_than_b":
            first, second = (_field(str(given.get(name)), stream) for name in ("column_A", "column_B"))
            return f"{first} is not {'at least' if given.get('or_equal') else 'greater than'} {second}"
        case "expect_compound_columns_to_be_unique":
            columns = given.get("column_list")
            names = [_field(str(each), stream) for each in columns] if isinstance(columns, list) else []
            return f"several records have the same {' and '.join(names)}"
    return f"the row fails “{expectation.rule}”"


def _field(column: str, stream: Stream | None) -> str:
    """The column of a suite, which is in lower case, as the catalogue writes its field."""
    return next((name for name in (stream.fields if stream else ()) if name.lower() == column), column)


def _part_about(reason: str, column: str | None) -> str:
    return next((part for part in reason.split("; ") if column and part.startswith(f"{column}: ")), reason)


def _first_words(meaning: str) -> str:
    """Of what a transform understands the first part: the rest is for who looks it up."""
    return re.split(r"[.;](?:\s|$)", meaning, maxsplit=1)[0]


def _listed(values: object) -> str:
    return ", ".join(str(each) for each in values) if isinstance(values, list) else str(values)


def _span(given: Mapping[str, object]) -> str:
    least, most = given.get("min_value"), given.get("max_value")
    if least is None:
        return f"{'less than' if given.get('strict_max') else 'at most'} {most}"
    if most is None:
        return f"{'more than' if given.get('strict_min') else 'at least'} {least}"
    return f"from {least} to {most}"
