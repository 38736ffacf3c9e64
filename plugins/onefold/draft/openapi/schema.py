"""The fields of an object, from its JSON schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from onefold.draft.json_sample import KINDS, json_type
from onefold.draft.names import Given, key_path
from onefold.draft.openapi.document import Document, Node, child, items, texts

_FORMATS = {"date-time": "timestamp", "datetime": "timestamp", "date": "date"}
_INTEGERS = ("int32", "int64", "integer", "long", "uint32", "uint64")
_NUMBERS = ("decimal", "money", "double", "float", "number", "amount")
_DEEPEST = 5
_FLATTENED = 2
"""So deep objects within a record become fields of their own, with a path; what lies deeper stays one of JSON."""
_MOST_NESTED = 25


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a schema: its schema, and whether every object has it."""

    schema: Node
    required: bool


class Schemas:
    """Reads the schemas of a description."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def properties(self, given: object, depth: int = 0) -> dict[str, Property]:
        """The properties of an object's schema: those of its allOf and, none of them required, of its alternatives."""
        schema = self._document.node(given)
        if depth > _DEEPEST or not schema:
            return {}
        required = {str(name) for name in items(schema, "required")}
        found: dict[str, Property] = {}
        for part in items(schema, "allOf"):
            required |= {str(name) for name in items(self._document.node(part), "required")}
            found |= self.properties(part, depth + 1)
        own = child(schema, "properties")
        for name, each in own.items() if isinstance(own, dict) else ():
            found[str(name)] = Property(self._document.node(each), False)
        found = {name: Property(each.schema, each.required or name in required) for name, each in found.items()}
        alternatives = self._alternatives(schema)
        of_each = [self.properties(each, depth + 1) for each in alternatives]
        for properties in of_each:
            for name, each in properties.items():
                everywhere = all(name in other and other[name].required for other in of_each)
                found.setdefault(name, Property(each.schema, everywhere and each.required))
        return found

    def alone(self, given: object) -> Node:
        """The schema itself; of `anyOf: [T, null]`, and of an allOf of one, T."""
        schema = self._document.node(given)
        for _ in range(_DEEPEST):
            parts = items(schema, "allOf")
            others = self._alternatives(schema) or (parts if len(parts) == 1 else [])
            if len(others) != 1 or child(schema, "properties"):
                return schema
            schema = self._document.node(others[0])
        return schema

    def nullable(self, given: object) -> bool:
        """Whether the value may be null."""
        schema = self._document.node(given)
        choices = [*items(schema, "anyOf"), *items(schema, "oneOf")]
        return (
            schema.get("nullable") is True
            or schema.get("x-nullable") is True
            or "null" in list(texts(schema.get("type")))
            or any(_is_null(self._document.node(each)) for each in choices)
        )

    def fields(self, given: object) -> Iterator[Given]:
        """The fields of the object: what is not only sent to the source."""
        yield from self._fields(given, (), True, (self.alone(given),))

    def _fields(
        self, given: object, above: tuple[str, ...], required: bool, within: tuple[Node, ...]
    ) -> Iterator[Given]:
        """`within` are the schemas of the objects around it: one that holds itself has no end."""
        for name, each in self.properties(given).items():
            if each.schema.get("writeOnly") is True:
                continue
            keys, always = (*above, name), required and each.required
            schema = self.alone(each.schema)
            below = self.properties(schema) if self._stated(schema) == ["object"] else {}
            around = any(schema is outer for outer in within)
            if len(within) <= _FLATTENED and 0 < len(below) <= _MOST_NESTED and not around:
                inner = always and not self.nullable(each.schema)
                yield from self._fields(schema, keys, inner, (*within, schema))
                continue
            title = str(each.schema.get("title") or "")
            path = key_path(*keys) if above else None
            yield Given("_".join(keys), self.kind(schema), always, path, title)

    def kind(self, given: object) -> str:
        """The catalogue's type of a value with this schema."""
        schema = self.alone(given)
        stated = self._stated(schema)
        form = str(schema.get("format") or "").lower()
        if len(stated) != 1:
            return "numeric" if set(stated) == {"integer", "number"} else "json" if stated else "text"
        if stated[0] == "string":
            if form in _FORMATS:
                return _FORMATS[form]
            return "integer" if form in _INTEGERS else "numeric" if form in _NUMBERS else "text"
        return KINDS.get(stated[0], "text")

    def keyed(self, given: object) -> Node:
        """The schema of the objects that an object has by their ids; an empty one where it has none."""
        schema = self.alone(given)
        each = self.alone(schema.get("additionalProperties")) if not child(schema, "properties") else {}
        return each if self.properties(each) else {}

    def is_unix_time(self, given: object) -> str | None:
        """The kind of cursor that a number of seconds or milliseconds since 1970 is, where its format says so."""
        form = str(self.alone(given).get("format") or "").lower().replace("_", "-")
        if form in ("unix-time", "timestamp", "unixtime", "unix-timestamp", "epoch"):
            return "unix_seconds"
        return "unix_milliseconds" if form in ("unix-time-ms", "timestamp-ms", "epoch-millis") else None

    def _stated(self, schema: Node) -> list[str]:
        """The JSON types that a value may have, but null."""
        return [each for each in texts(schema.get("type")) if each != "null"] or self._implied(schema)

    def _implied(self, schema: Node) -> list[str]:
        """The types of a value whose schema names none."""
        alternatives = self._alternatives(schema)
        if "additionalProperties" in schema or (not alternatives and self.properties(schema)):
            return ["object"]
        if "items" in schema:
            return ["array"]
        values = items(schema, "enum") or [schema[name] for name in ("const", "example", "default") if name in schema]
        kinds = {json_type(value) for value in values if value is not None}
        for each in alternatives:
            inner = self._document.node(each)
            kinds |= {kind for kind in texts(inner.get("type")) if kind != "null"} or set(self._implied_once(inner))
        return sorted(kinds)

    def _implied_once(self, schema: Node) -> list[str]:
        if self.properties(schema):
            return ["object"]
        return sorted({json_type(value) for value in items(schema, "enum") if value is not None})

    def _alternatives(self, schema: Node) -> list[object]:
        """The schemas of its anyOf or oneOf, but null."""
        choices = [*items(schema, "anyOf"), *items(schema, "oneOf")]
        return [each for each in choices if not _is_null(self._document.node(each))]


def _is_null(schema: Node) -> bool:
    return (
        list(texts(schema.get("type"))) == ["null"]
        or schema.get("enum") == [None]
        or ("const" in schema and schema["const"] is None)
    )
