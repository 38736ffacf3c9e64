"""Reads a schema in GraphQL's schema definition language.

Source: GraphQL specification (October 2021), 2 and 3; what is deprecated is left out, as introspection leaves it out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from onefold.draft.graphql.schema import ArgumentOf, FieldOf, Schema, TypeOf
from onefold.errors import Fatal

T = TypeVar("T")
_TOKEN = re.compile(
    r'[\s,]+|#[^\n]*|(?P<block>"""(?:[^"\\]|\\"""|\\|"(?!""))*""")|(?P<text>"(?:[^"\\\n]|\\.)*")'
    r"|(?P<name>[_A-Za-z]\w*)|(?P<number>-?\d[\d.eE+-]*)|(?P<mark>\.\.\.|[!$&():=@\[\]{}|])",
    re.ASCII,
)
_KINDS = {
    "type": "OBJECT", "interface": "INTERFACE", "input": "INPUT_OBJECT", "enum": "ENUM", "union": "UNION",
    "scalar": "SCALAR",
}  # fmt: skip
_CLOSED = {"(": ")", "[": "]", "{": "}"}


def read_sdl(text: str) -> Schema:
    """The schema of a text. Raises Fatal, with the line, when it is not understood or is not whole."""
    reader = _Reader(list(_tokens(text)))
    try:
        reader.document()
    except RecursionError:
        raise reader.wrong("it is nested too deep to be read") from None
    if reader.query not in reader.types:
        raise Fatal(f"the schema has no type {reader.query}, with which a query begins; give the whole schema")
    return Schema(reader.query, reader.types)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


def _tokens(text: str) -> Iterator[_Token]:
    at, line = 0, 1
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise Fatal(f"line {line}: this is no GraphQL schema. Give SDL, or introspection as JSON")
        if found.lastgroup:
            yield _Token(found.lastgroup, found[0], line)
        line += found[0].count("\n")
        at = found.end()


@dataclass(slots=True)
class _Reader:
    tokens: list[_Token]
    at: int = 0
    query: str = "Query"
    types: dict[str, TypeOf] = field(default_factory=dict)

    def document(self) -> None:
        while self.at < len(self.tokens):
            description = self._description()
            if self._peek() == "extend":
                self._take()
            keyword = self._take("name")
            match keyword:
                case "schema":
                    self._schema()
                case "directive":
                    self._directive()
                case _ if keyword in _KINDS:
                    self._type(_KINDS[keyword], description)
                case _:
                    raise self.wrong(f"{keyword!r} begins no definition of a schema")

    def _schema(self) -> None:
        self._directives()
        for operation, kind in self._block(self._operation):
            if operation == "query":
                self.query = kind

    def _operation(self) -> tuple[str, str]:
        self._description()
        operation = self._take("name")
        self._take(":")
        return operation, self._take("name")

    def _directive(self) -> None:
        self._take("@")
        self._take("name")
        if self._peek() == "(":
            self._skip_group()
        while self._peek() in ("repeatable", "on", "|") or (self._before() in ("on", "|") and self._is_name()):
            self._take()

    def _type(self, kind: str, description: str) -> None:
        name = self._take("name")
        while self._peek() in ("implements", "&") or (self._before() in ("implements", "&") and self._is_name()):
            self._take()
        self._directives()
        fields: dict[str, FieldOf] = {}
        if self._peek() == "=":
            while self._peek() in ("=", "|") or (self._before() in ("=", "|") and self._is_name()):
                self._take()
        elif self._peek() == "{" and kind in ("OBJECT", "INTERFACE"):
            fields = {name: each for name, each in self._block(self._field) if each}
        elif self._peek() == "{":
            self._skip_group()
        before = self.types.get(name)
        if before:  # an extension
            fields = {**before.fields, **fields}
        self.types[name] = TypeOf(kind, fields, description or (before.description if before else ""))

    def _field(self) -> tuple[str, FieldOf | None]:
        description = self._description()
        name = self._take("name")
        arguments = dict(self._block(self._argument, "(")) if self._peek() == "(" else {}
        self._take(":")
        kind = self._reference()
        deprecated = "deprecated" in self._directives()
        return name, None if deprecated else FieldOf(kind, arguments, description)

    def _argument(self) -> tuple[str, ArgumentOf]:
        self._description()
        name = self._take("name")
        self._take(":")
        kind = self._reference()
        default = self._peek() == "="
        if default:
            self._take()
            self._value()
        self._directives()
        return name, ArgumentOf(kind, kind.endswith("!") and not default)

    def _reference(self) -> str:
        if self._peek() == "[":
            self._take()
            text = f"[{self._reference()}]"
            self._take("]")
        else:
            text = self._take("name")
        if self._peek() == "!":
            text += self._take()
        return text

    def _directives(self) -> set[str]:
        found = set()
        while self._peek() == "@":
            self._take()
            found.add(self._take("name"))
            if self._peek() == "(":
                self._skip_group()
        return found

    def _value(self) -> None:
        if self._peek() in _CLOSED:
            self._skip_group()
        else:
            self._take()

    def _skip_group(self) -> None:
        """What stands between brackets, with them."""
        open_: list[str] = []
        while True:
            text = self._take()
            if text in _CLOSED:
                open_.append(_CLOSED[text])
            elif open_ and text == open_[-1]:
                open_.pop()
            if not open_:
                return

    def _block(self, read: Callable[[], T], opened: str = "{") -> Iterator[T]:
        self._take(opened)
        while self._peek() != _CLOSED[opened]:
            yield read()
        self._take()

    def _description(self) -> str:
        if self.at < len(self.tokens) and self.tokens[self.at].kind in ("block", "text"):
            return " ".join(self._take().strip('"').split())
        return ""

    def _peek(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def _before(self) -> str:
        return self.tokens[self.at - 1].text

    def _is_name(self) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at].kind == "name"

    def _take(self, wanted: str = "") -> str:
        if self.at >= len(self.tokens):
            raise Fatal("the GraphQL schema is cut off; give the whole of it")
        token = self.tokens[self.at]
        if wanted and wanted not in (token.kind, token.text):
            raise self.wrong(f"{token.text[:20]!r} stands where {wanted!r} belongs")
        self.at += 1
        return token.text

    def wrong(self, what: str) -> Fatal:
        line = self.tokens[min(self.at, len(self.tokens) - 1)].line
        return Fatal(f"line {line} of the GraphQL schema: {what}")
