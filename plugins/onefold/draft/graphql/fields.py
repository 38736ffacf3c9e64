"""The fields of a record: what is selected of each object that is listed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from onefold.draft.graphql.listings import listing_of
from onefold.draft.graphql.scalars import scalar_type
from onefold.draft.graphql.schema import FieldOf, Schema
from onefold.draft.model import Fields, Mark
from onefold.draft.names import Given, fields_of, plain_name

_SCALARS = ("SCALAR", "ENUM")
_BY = re.compile(r"\w+By([A-Z]\w*)")
_INTERNAL = frozenset({"clientMutationId", "query"})


@dataclass(frozen=True, slots=True)
class FieldsOf:
    """The fields of a stream, those of them that are of the type ID!, and what was left out, each with its reason."""

    fields: Fields
    ids: list[str]
    marks: tuple[Mark, ...]
    left_out: tuple[str, ...]


def fields_in(schema: Schema, name: str) -> FieldsOf:
    """The fields of an object: its scalars, of what it refers to the id, and the scalars of the other objects in it."""
    left_out: list[str] = []
    given = list(_fields(schema, schema.fields(name), left_out))
    fields, marks = fields_of(given)
    own = schema.fields(name)
    ids = [each for each in fields if each in own and own[each].type == "ID!"]
    return FieldsOf(fields, ids, tuple(marks), tuple(left_out))


def _fields(schema: Schema, fields: Mapping[str, FieldOf], left_out: list[str]) -> Iterator[Given]:
    for name, field in fields.items():
        if field.needs_arguments:
            left_out.append(f"{name}: it needs an argument")
        elif schema.kind(field.base) in _SCALARS:
            yield Given(name, "json" if field.is_list else _kind(schema, field), field.always, title=field.description)
        elif field.base != schema.query and name not in _INTERNAL:
            yield from _object(schema, fields, name, field, left_out)


def _object(
    schema: Schema, beside: Mapping[str, FieldOf], name: str, field: FieldOf, left_out: list[str]
) -> Iterator[Given]:
    """Of another object its id where it has one, else its scalars: an address, a sum with its currency."""
    inner = schema.fields(field.base)
    if schema.kind(field.base) == "UNION" or not inner:
        left_out.append(f"{name}: one of several types; request.select can say what of them")
        return
    if field.is_list or listing_of(schema, field):
        left_out.append(f"{name}: a list within each record; request.connections or a stream with nested reads it")
        return
    if _is_told(beside, name):
        return
    scalars = {
        each: of
        for each, of in inner.items()
        if schema.kind(of.base) in _SCALARS and not of.needs_arguments and not of.is_list
    }
    key = next((each for each in ("id", "uuid", "rowId") if each in scalars), None) or next(
        (each for each, of in scalars.items() if of.type == "ID!"), None
    )
    for each in [key] if key else scalars:
        of = scalars[each]
        yield Given(
            plain_name(f"{_words(name)}_{_words(each)}"),
            _kind(schema, of),
            field.always and of.always,
            f"{name}.{each}",
            of.description,
        )


def _is_told(beside: Mapping[str, FieldOf], name: str) -> bool:
    """Whether a field beside a reference holds its key: customerId beside customer or customerByCustomerId."""
    by = _BY.fullmatch(name)
    told = {f"{name}Id", f"{name}_id", f"{name}ID"} | ({by[1][:1].lower() + by[1][1:]} if by else set())
    return bool(told & beside.keys())


def _kind(schema: Schema, field: FieldOf) -> str:
    return "text" if schema.kind(field.base) == "ENUM" else scalar_type(field.base)


def _words(name: str) -> str:
    """A name in words: unitPrice as unit_price."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
