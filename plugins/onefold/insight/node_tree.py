"""PostgreSQL's parsed queries as it stores those of views (pg_rewrite.ev_action), read into plain Python.

Source: src/backend/nodes/outfuncs.c and read.c of PostgreSQL. A node is {TYPE :field value …}, a list (a b …), of
numbers (i 1 2) or (b 1 2), an empty value <>; a backslash takes the meaning from the next character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from onefold.errors import Fatal

_WORD = re.compile(r"[(){}]|(?:\\.|[^\s(){}\\])+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One node. A field whose value is of several words, as a constant's bytes, has them as a list."""

    kind: str
    fields: dict[str, object]

    def node(self, field: str) -> Node | None:
        """The node that the field is; None where it is empty."""
        found = self.fields.get(field)
        return found if isinstance(found, Node) else None

    def nodes(self, field: str) -> list[Node]:
        """The nodes of a list; empty ones are left out."""
        found = self.fields.get(field)
        return [each for each in found if isinstance(each, Node)] if isinstance(found, list) else []

    def number(self, field: str) -> int:
        """The field as a number; 0 where there is none."""
        found = self.fields.get(field)
        return int(found) if isinstance(found, str) else 0

    def text(self, field: str) -> str:
        """The field as text; empty where there is none."""
        found = self.fields.get(field)
        return found if isinstance(found, str) else ""

    def texts(self, field: str) -> list[str]:
        """The strings of a list."""
        found = self.fields.get(field)
        return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []

    def children(self) -> Iterator[Node]:
        """All nodes that are values of its fields, or in lists of them."""
        for value in self.fields.values():
            yield from _nodes(value)

    def descendants(self) -> Iterator[Node]:
        """The node itself and all below it."""
        yield self
        for child in self.children():
            yield from child.descendants()


def _nodes(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _nodes(each)


@lru_cache(maxsize=256)
def parsed_query(text: str) -> Node:
    """The query of a view's rule. Raises Fatal for what is no such rule."""
    value, _ = _value(_WORD.findall(text), 0)
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], Node) and value[0].kind == "QUERY":
        return value[0]
    raise Fatal("PostgreSQL has stored a view's query in another form than Onefold reads: its version is too new.")


def _value(words: list[str], at: int) -> tuple[object, int]:
    """The value that begins at a word, and the place after it."""
    word = words[at]
    if word == "{":
        return _node(words, at + 1)
    if word == "(":
        found: list[object] = []
        at += 1
        while words[at] != ")":
            value, at = _value(words, at)
            found.append(value)
        return found, at + 1
    return (None if word == "<>" else _plain(word)), at + 1


def _node(words: list[str], at: int) -> tuple[Node, int]:
    kind, at = words[at], at + 1
    fields: dict[str, object] = {}
    while words[at] != "}":
        name, at = words[at][1:], at + 1
        values: list[object] = []
        while words[at] != "}" and not words[at].startswith(":"):
            value, at = _value(words, at)
            values.append(value)
        fields[name] = values[0] if len(values) == 1 else values
    return Node(kind, fields), at + 1


def _plain(word: str) -> str:
    text = word[1:-1] if word.startswith('"') and word.endswith('"') and len(word) > 1 else word
    return _ESCAPED.sub(r"\1", text)
