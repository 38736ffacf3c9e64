"""A GraphQL schema, as far as a draft needs it, and how introspection tells it.

Source: GraphQL specification (October 2021), 4 (introspection).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from onefold.errors import Fatal

QUERY = (
    "query { __schema { queryType { name } types { kind name description "
    "fields { name description args { name type { ...T } defaultValue } type { ...T } } } } } "
    "fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name "
    "ofType { kind name ofType { kind name } } } } } }"
)
"""The introspection query. What is deprecated is not asked for."""
NONE: Mapping[str, FieldOf] = {}


@dataclass(frozen=True, slots=True)
class ArgumentOf:
    """An argument: its type as the schema writes it, and whether a query must give it."""

    type: str
    required: bool


@dataclass(frozen=True, slots=True)
class FieldOf:
    """A field: its type as the schema writes it ([Order!]!), and its arguments."""

    type: str
    arguments: Mapping[str, ArgumentOf] = field(default_factory=dict)
    description: str = ""

    @property
    def base(self) -> str:
        """The name of its type, without the marks."""
        return self.type.strip("[]!")

    @property
    def is_list(self) -> bool:
        return self.type.startswith("[")

    @property
    def always(self) -> bool:
        """Whether it is never null."""
        return self.type.endswith("!")

    @property
    def needs_arguments(self) -> bool:
        return any(each.required for each in self.arguments.values())


@dataclass(frozen=True, slots=True)
class TypeOf:
    """A type: SCALAR, OBJECT, INTERFACE, UNION, ENUM or INPUT_OBJECT."""

    kind: str
    fields: Mapping[str, FieldOf] = field(default_factory=dict)
    description: str = ""


@dataclass(frozen=True, slots=True)
class Schema:
    """The types by their names, and which of them a query begins with."""

    query: str
    types: Mapping[str, TypeOf]

    def fields(self, name: str) -> Mapping[str, FieldOf]:
        """The fields of an object or interface; none of anything else."""
        found = self.types.get(name)
        return found.fields if found and found.kind in ("OBJECT", "INTERFACE") else NONE

    def kind(self, name: str) -> str:
        """What kind of type it is. What nothing is said of is a scalar of the language: Int, Float, String, …"""
        found = self.types.get(name)
        return found.kind if found else "SCALAR"


class _Reference(msgspec.Struct, rename="camel"):
    kind: str
    name: str | None = None
    of_type: _Reference | None = None


class _Argument(msgspec.Struct, rename="camel"):
    name: str
    type: _Reference
    default_value: str | None = None


class _Field(msgspec.Struct, rename="camel"):
    name: str
    type: _Reference
    args: list[_Argument] = []
    description: str | None = None
    is_deprecated: bool = False


class _Type(msgspec.Struct, rename="camel"):
    kind: str
    name: str
    fields: list[_Field] | None = None
    description: str | None = None


class _Named(msgspec.Struct):
    name: str


class _Schema(msgspec.Struct, rename="camel"):
    query_type: _Named
    types: list[_Type]


class _Data(msgspec.Struct):
    schema: _Schema = msgspec.field(name="__schema")


class _Answer(msgspec.Struct):
    data: _Data


def introspected(content: bytes) -> Schema:
    """The schema of an answer to the introspection query, with or without `data`. Raises Fatal when it is none."""
    try:
        try:
            found = msgspec.json.decode(content, type=_Answer).data.schema
        except msgspec.ValidationError:
            found = msgspec.json.decode(content, type=_Data).schema
    except msgspec.DecodeError as error:
        raise Fatal(
            "this is no answer to a GraphQL introspection query: it has no data.__schema. Give the schema as SDL, the "
            "endpoint's address, or its answer to the introspection query; where introspection is switched off, ask "
            "the system's owner for the schema"
        ) from error
    return Schema(found.query_type.name, {each.name: _type(each) for each in found.types})


def _type(given: _Type) -> TypeOf:
    fields = {
        each.name: FieldOf(_text(each.type), dict(map(_argument, each.args)), each.description or "")
        for each in given.fields or []
        if not each.is_deprecated
    }
    return TypeOf(given.kind, fields, given.description or "")


def _argument(given: _Argument) -> tuple[str, ArgumentOf]:
    text = _text(given.type)
    return given.name, ArgumentOf(text, text.endswith("!") and given.default_value is None)


def _text(given: _Reference) -> str:
    match given.kind, given.of_type:
        case "NON_NULL", _Reference() as inner:
            return f"{_text(inner)}!"
        case "LIST", _Reference() as inner:
            return f"[{_text(inner)}]"
        case _:
            return given.name or ""
