"""GraphQL documents out of a stream's fields: what the catalogue declares is what is asked for, and nothing else.

A path's names become selections; a name with [n] behind it is a connection of its own, whose nodes come as a plain list
in the record (unless `select` says how it is written). Source: GraphQL, "Relay Cursor Connections"; Shopify, "Perform
bulk operations" (there the connections are written as edges, and their nodes come on lines of their own).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from onefold.catalog.deletes import Tombstones
from onefold.catalog.request import Request
from onefold.catalog.stream import Stream
from onefold.errors import Fatal

PARENT = "parent"
"""Where a nested record finds the record that it was listed in."""
NESTED = 10
"""How many nodes of a nested connection come with a page; where there are more, the window is read by a bulk operation
instead. A page costs as much as it could hold, so this is small."""

Tree = dict[str, "Tree"]
_ENUM = re.compile(r"[A-Z][A-Z_]*")


@dataclass(frozen=True, slots=True)
class Selection:
    """What to select of a root's nodes: names within names, which of them are connections, and how some are written."""

    tree: Tree
    connections: frozenset[str]
    written: Mapping[str, str]

    def page(self, request: Request, arguments: Mapping[str, str]) -> str:
        """The document that asks for a page: $first nodes after $after."""
        given = ", ".join(["first: $first", "after: $after", *map(_argument, arguments.items())])
        nodes = self._names(self.tree, bulk=False)
        return (
            f"query($first: Int!, $after: String) {{ {request.operation}({given}) "
            f"{{ pageInfo {{ hasNextPage endCursor }} nodes {{ {nodes} }} }} }}"
        )

    def whole(self, request: Request, arguments: Mapping[str, str]) -> str:
        """The document for a bulk operation."""
        given = ", ".join(map(_argument, arguments.items()))
        root = f"{request.operation}({given})" if given else request.operation
        return f"{{ {root} {{ edges {{ node {{ {self._names(self.tree, bulk=True)} }} }} }} }}"

    def _names(self, tree: Tree, *, bulk: bool) -> str:
        return " ".join(self._name(name, below, bulk=bulk) for name, below in tree.items())

    def _name(self, name: str, below: Tree, *, bulk: bool) -> str:
        text = self.written.get(name, name)
        if text.startswith("..."):
            return text
        if not text.startswith(name):
            text = f"{name}: {text}"
        names = self._names(below, bulk=bulk)
        if name in self.connections:
            names = names if "id" in below else f"id {names}"
            if bulk:
                return f"{text} {{ edges {{ node {{ {names} }} }} }}"
            return f"{text}(first: {NESTED}) {{ pageInfo {{ hasNextPage }} nodes {{ {names} }} }}"
        return f"{text} {{ {names} }}" if below else text


def selection(named: str, stream: Stream) -> Selection:
    """What a stream's fields need. Raises Fatal for a path that no selection can stand for, and for two connections:
    a bulk operation's lines would not say which of them they are of."""
    tree: Tree = {}
    connections: set[str] = set()
    nested = stream.nested.path if stream.nested else None
    for name, field in stream.fields.items():
        steps = (field.path or name).removeprefix("$.").split(".")
        if nested:
            steps = steps[1:] if steps[0] == PARENT else [f"{nested}[*]", *steps]
        at = tree
        for step in steps:
            plain = re.fullmatch(r"(\w+)(\[(?:\d+|\*)\])?", step)
            if plain is None:
                raise Fatal(f"{named}: no query can be made of the path {field.path!r}; write names, or names[n].")
            if plain[2] and plain[1] not in stream.request.select:
                connections.add(plain[1])
            at = at.setdefault(plain[1], {})
    if len(connections) > 1:
        raise Fatal(f"{named}: only one connection may be nested in its records, not {', '.join(sorted(connections))}.")
    if connections:
        tree.setdefault("id", {})  # by which a bulk operation's lines name their parent
    return Selection(tree, frozenset(connections), stream.request.select)


def deletions(feed: Tombstones) -> Selection:
    """What an entry of the feed of deletions must tell."""
    names = [feed.key, *([feed.cursor] if feed.cursor else [])]
    return Selection({name: {} for name in names}, frozenset(), feed.request.select)


def _argument(argument: tuple[str, str]) -> str:
    name, value = argument
    return f"{name}: {value if _ENUM.fullmatch(value) else json.dumps(value)}"
