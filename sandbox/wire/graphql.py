"""Reads the part of GraphQL that the stand-in of a shop answers: operations, arguments, aliases, inline fragments.

Grammar: GraphQL specification (October 2021), sections 2.2 to 2.12; what is not here is refused as a syntax error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r'[\s,]+|#[^\n]*|(?P<block>"""(?:.|\n)*?""")|(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<spread>\.\.\.)'
    r"|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<mark>[!$():=@\[\]{}|])"
)


class EnumValue(str):
    """A name that stands where a value does, as one of an enum."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable as it is used: its name, the type that the document declares for it, and its value."""

    name: str
    type: str
    value: object


class SyntaxProblem(Exception):
    """The document is not understood."""


@dataclass(frozen=True, slots=True)
class Selected:
    """A field that is asked for: under which name it is shown, its arguments, and what of it."""

    shown: str
    name: str
    arguments: Mapping[str, object]
    below: tuple[Selected, ...] = ()


@dataclass(slots=True)
class _Reader:
    variables: Mapping[str, object]
    tokens: list[tuple[str, str]]
    at: int = 0
    defaults: dict[str, object] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    as_variables: bool = False

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        if self.at >= len(self.tokens):
            raise SyntaxProblem("syntax error, unexpected end of file")
        kind, text = self.tokens[self.at]
        if wanted and text not in wanted and kind not in wanted:
            raise SyntaxProblem(f'syntax error, unexpected "{text}", expecting {" or ".join(wanted)}')
        self.at += 1
        return text

    def operation(self) -> tuple[str, tuple[Selected, ...]]:
        kind = "query"
        if self.peek() != "{":
            kind = self.take("query", "mutation")
            if self.peek() not in ("{", "("):
                self.take("name")
            if self.peek() == "(":
                self._definitions()
        return kind, tuple(self._selections())

    def _definitions(self) -> None:
        self.take("(")
        while self.peek() != ")":
            self.take("$")
            name = self.take("name")
            self.take(":")
            self.types[name] = self._type()
            if self.peek() == "=":
                self.take("=")
                self.defaults[name] = self._value()
        self.take(")")

    def _type(self) -> str:
        if self.peek() == "[":
            self.take("[")
            text = f"[{self._type()}]"
            self.take("]")
        else:
            text = self.take("name")
        return text + (self.take("!") if self.peek() == "!" else "")

    def _selections(self) -> Iterator[Selected]:
        self.take("{")
        while self.peek() != "}":
            if self.peek() == "...":
                self.take("...")
                self.take("on")
                self.take("name")
                yield from self._selections()
            else:
                yield self._field()
        self.take("}")

    def _field(self) -> Selected:
        shown = name = self.take("name")
        if self.peek() == ":":
            self.take(":")
            name = self.take("name")
        arguments = {}
        if self.peek() == "(":
            self.take("(")
            while self.peek() != ")":
                argument = self.take("name")
                self.take(":")
                arguments[argument] = self._value()
            self.take(")")
        below = tuple(self._selections()) if self.peek() == "{" else ()
        return Selected(shown, name, arguments, below)

    def _value(self) -> object:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        self.take("text", "block", "number", "name", "$", "[", "{")
        match text:
            case "[":
                return list(self._until("]"))
            case "{":
                return dict(self._members())
        match kind:
            case "text":
                return json.loads(text)
            case "block":
                return text[3:-3].strip()
            case "number":
                return float(text) if "." in text else int(text)
            case "name":
                return {"true": True, "false": False, "null": None}.get(text, EnumValue(text))
        name = self.take("name")
        value = self.variables.get(name, self.defaults.get(name))
        return Variable(name, self.types.get(name, ""), value) if self.as_variables else value

    def _until(self, end: str) -> Iterator[object]:
        while self.peek() != end:
            yield self._value()
        self.take(end)

    def _members(self) -> Iterator[tuple[str, object]]:
        while self.peek() != "}":
            name = self.take("name")
            self.take(":")
            yield name, self._value()
        self.take("}")


def read(
    document: str, variables: Mapping[str, object], *, as_variables: bool = False
) -> tuple[str, tuple[Selected, ...]]:
    """The operation's kind ("query" or "mutation") and what it selects. Raises SyntaxProblem.

    With `as_variables` an argument that is a variable is a Variable, else its value.
    """
    tokens, at = [], 0
    while at < len(document):
        found = _TOKEN.match(document, at)
        if found is None:
            raise SyntaxProblem(f'syntax error, unexpected "{document[at]}" at {at}')
        if found.lastgroup:
            tokens.append((found.lastgroup, found[0]))
        at = found.end()
    return _Reader(variables, tokens, as_variables=as_variables).operation()
