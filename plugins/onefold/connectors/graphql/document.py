"""GraphQL documents out of a stream's YAML: what the catalogue declares is what is asked for, and nothing else.

A path's names become selections. A name that `request.connections` lists is a connection of its own: its nodes come as
a plain list in the record, whose further pages are read too. Source: GraphQL, "Relay Cursor Connections".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from onefold.catalog.deletes import Tombstones
from onefold.catalog.paging import NextPage
from onefold.catalog.stream import Stream
from onefold.connectors.graphql.arguments import literal
from onefold.connectors.json_shape import Path
from onefold.connectors.records import dotted
from onefold.errors import Fatal

PARENT = "parent"
"""Where a nested record finds the record that it was listed in."""
EDGES: Path = ("edges", "node")
"""Where every connection has its nodes; many have them at `nodes` too."""
SIZE = 50
"""How many records a page of a connection holds, and how many nodes of a nested one come with it, where no size is
named."""

Tree = dict[str, "Tree"]
_STEP = re.compile(r"([_A-Za-z]\w*)(\[(?:\d+|\*)\])?", re.ASCII)
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[(){]')


def records_at(records: str, following: NextPage) -> Path:
    """Where the records are in what the operation gives; the empty path: it gives their list."""
    return dotted(records) or (EDGES if following.kind == "connection" else ())


@dataclass(frozen=True, slots=True)
class Style:
    """How the source writes its connections: where their nodes are, what the arguments for size and cursor are called,
    and how many nodes of a nested one come with a page (0: all, for a source that gives them in another way)."""

    at: Path = EDGES
    size: str = "first"
    after: str = "after"
    nested: int = SIZE


@dataclass(frozen=True, slots=True)
class Selection:
    """What to select of a listing's records: names within names, which of them are connections, how some are written.
    `nested` is where the list stands whose items are the stream's records, `key` where each listed one has its key."""

    tree: Tree
    connections: frozenset[Path]
    written: Mapping[str, str]
    style: Style = field(default_factory=Style)
    nested: Path = ()
    key: tuple[Path, ...] = ()

    def names(self) -> str:
        """What of a record stands in the document."""
        return self._names(self.tree, ())

    def names_of(self, connection: Path, after: str) -> str:
        """Of a record no more than its key, and the further nodes of one connection in it."""
        tree: Tree = {}
        for path in self.key:
            _add(tree, path)
        _add(tree, connection).update(_below(self.tree, connection))
        return self._names(tree, (), only=(connection, after))

    def _names(self, tree: Tree, at: Path, only: tuple[Path, str] | None = None) -> str:
        return " ".join(self._name(name, below, (*at, name), only) for name, below in tree.items())

    def _name(self, name: str, below: Tree, at: Path, only: tuple[Path, str] | None) -> str:
        text = self.written.get(name, name)
        if text.startswith("..."):
            return text
        head, arguments, body = _taken_apart(name, text)
        inner = " ".join(filter(None, (body, self._names(below, at, only))))
        if at in self.connections and not self.style.nested:
            inner = around(self.style.at, inner)
        elif at in self.connections:
            after = only[1] if only and only[0] == at else None
            if not re.search(rf"\b{self.style.size}\s*:", arguments):
                arguments = _joined(arguments, f"{self.style.size}: {self.style.nested}")
            if after is not None:
                arguments = _joined(arguments, f"{self.style.after}: {literal(after)}")
            inner = f"pageInfo {{ hasNextPage endCursor }} {around(self.style.at, inner)}"
        arguments = f"({arguments})" if arguments else ""
        return f"{head}{arguments} {{ {inner} }}" if inner else f"{head}{arguments}"


def document(operation: Path, written: Mapping[str, str], arguments: str, declared: str, selected: str) -> str:
    """A query: the operation at its place, with its arguments, and what is selected of it."""
    text = selected
    for depth, name in enumerate(reversed(operation)):
        head, own, body = _taken_apart(name, written.get(name, name))
        given = _joined(own, "" if depth else arguments)
        text = f"{head}{f'({given})' if given else ''} {{ {' '.join(filter(None, (body, text)))} }}"
    return f"query{declared} {{ {text} }}"


def around(at: Path, inner: str, beside: Iterable[Path] = ()) -> str:
    """The selection of what stands at a path, and of some names beside it."""
    tree: Tree = {}
    for path in beside:
        _add(tree, path)
    _add(tree, at)
    return _text(tree, at, inner) if at else inner


def selection(named: str, stream: Stream, style: Style) -> Selection:
    """What a stream's fields need. Raises Fatal for a path that no selection can stand for."""
    tree: Tree = {}
    nested = dotted(stream.nested.path) if stream.nested else ()
    for name, each in stream.fields.items():
        _add(tree, _place(steps_of(named, name, each.path or name), nested))
    keys = tuple(_place(steps_of(named, name, stream.fields[name].path or name), nested) for name in stream.primary_key)
    own = tuple(path for path in keys if not nested or path[: len(nested)] != nested)
    connections = frozenset(map(dotted, stream.request.connections))
    if connections and not own:
        raise Fatal(
            f"{named}: its records are read on by the key of what they are listed in: name a field of it, as "
            f"{PARENT}.id, and take it into primary_key."
        )
    return Selection(tree, connections, stream.request.select, style, nested, own)


def deletions(named: str, feed: Tombstones, style: Style) -> Selection:
    """What an entry of the feed of deletions must tell."""
    tree: Tree = {}
    for path in filter(None, (feed.key, feed.cursor)):
        _add(tree, steps_of(named, path, path))
    return Selection(tree, frozenset(), feed.request.select, style)


def style_of(following: NextPage, at: Path) -> Style:
    """How the source writes connections, as its listing shows it; else as Relay does."""
    if following.kind != "connection":
        return Style()
    return Style(at, _last(following.size_parameter, "first"), _last(following.parameter, "after"))


def steps_of(named: str, name: str, path: str) -> Path:
    """A field's path as names. Raises Fatal where it is more than names, and names with [n] or [*] behind them."""
    steps = path.removeprefix("$.").split(".")
    found = [_STEP.fullmatch(step) for step in steps]
    if not all(found):
        raise Fatal(f"{named}: no query can be made of the path {path!r} of {name}; write names, or names[n].")
    return tuple(step[1] for step in found if step)


def _last(name: str | None, usual: str) -> str:
    """An argument's name; usual where it is within an input object, which only a listing has."""
    return name if name and "." not in name else usual


def _place(steps: Path, nested: Path) -> Path:
    """Where a field's value is in what is listed."""
    if not nested:
        return steps
    return steps[1:] if steps[0] == PARENT else (*nested, *steps)


def _add(tree: Tree, path: Path) -> Tree:
    for name in path:
        tree = tree.setdefault(name, {})
    return tree


def _below(tree: Tree, path: Path) -> Tree:
    for name in path:
        tree = tree.get(name, {})
    return tree


def _text(tree: Tree, at: Path, inner: str) -> str:
    """The tree as a selection, with `inner` at a path of it."""
    parts = []
    for name, below in tree.items():
        here = at[:1] == (name,)
        text = inner if here and len(at) == 1 else _text(below, at[1:] if here else (), inner)
        parts.append(f"{name} {{ {text} }}" if text else name)
    return " ".join(parts)


def _taken_apart(name: str, text: str) -> tuple[str, str, str]:
    """What is written for a name: its head, with which the answer calls it by that name, its arguments and what is
    selected of it."""
    depth, begin, end = 0, len(text), len(text)
    found = ""
    for bracket in _BRACKETS.finditer(text):
        match bracket[0]:
            case "(":
                begin = bracket.start() if not depth and begin == len(text) else begin
                depth += 1
            case ")":
                depth -= 1
                end = bracket.start() if not depth else end
            case "{" if not depth:
                found = text[bracket.start() + 1 : text.rindex("}")].strip()
                begin = min(begin, bracket.start())
                break
    head, arguments = text[:begin].strip(), ""
    if not re.match(rf"{name}\b", head):
        head = f"{name}: {head}"
    if text[begin : begin + 1] == "(":
        arguments = text[begin + 1 : end].strip()
    return head, arguments, found


def _joined(*arguments: str) -> str:
    return ", ".join(filter(None, arguments))
