"""A GraphQL service of the tests' own: it takes types, arguments and selections as strictly as a real server does."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.wire.graphql import EnumValue, Selected, SyntaxProblem, Variable, read
from tests.http.web_server import Asked, Say

Object = dict[str, object]
ENUMS = {"State": {"OPEN", "CLOSED"}, "OrderField": {"CREATED", "UPDATED"}, "Direction": {"ASC", "DESC"}}
INPUTS = {
    "Order": {"field": "OrderField!", "direction": "Direction!"},
    "Filter": {"since": "DateTime", "title": "String", "labels": "[String!]"},
    "Page": {"number": "Int", "size": "Int"},
}
TEXTS = {"String", "ID", "Cursor", "DateTime"}


class QueryError(Exception):
    """What is answered as an error of the whole request."""

    def __init__(self, message: str, code: str = "GRAPHQL_VALIDATION_FAILED") -> None:
        super().__init__(message)
        self.shown = {"message": message, "extensions": {"code": code}}


@dataclass(frozen=True)
class Connection:
    """Nodes that are paged through; `arguments` has the types of the arguments beside first and after."""

    nodes: Sequence[object]
    arguments: Mapping[str, str] = field(default_factory=dict)
    largest: int = 100
    size: str = "first"
    after: str = "after"
    keep: Callable[[Mapping[str, object], object], bool] = lambda given, node: True
    nodes_at: tuple[str, ...] = ("edges", "nodes")


@dataclass(frozen=True)
class Field:
    """A field with arguments; `of` makes its value of them."""

    arguments: Mapping[str, str]
    of: Callable[[Object], object]


class Api:
    """Answers POST and GET at /graphql. `asked` are the documents; `change` may replace an answer."""

    def __init__(self, root: Object) -> None:
        self.root = root
        self.asked: list[str] = []
        self.variables: list[Mapping[str, object]] = []
        self.change: Callable[[Object], Say | None] = lambda answer: None

    def __call__(self, asked: Asked) -> Say:
        given = asked.params if asked.method == "GET" else json.loads(asked.body)
        variables = given.get("variables") or {}
        variables = json.loads(variables) if isinstance(variables, str) else variables
        self.asked.append(str(given["query"]))
        self.variables.append(variables)
        try:
            _, selected = read(str(given["query"]), variables, as_variables=True)
            answer: Object = {"data": _shown(self.root, selected, "Query")}
        except SyntaxProblem as error:
            return Say(400, json.dumps({"errors": [{"message": str(error)}]}).encode())
        except QueryError as error:
            return Say(400, json.dumps({"errors": [error.shown]}).encode())
        return self.change(answer) or Say(200, json.dumps(answer, separators=(",", ":")).encode())


def _shown(value: Object, selected: tuple[Selected, ...], kind: str) -> Object:
    return {each.shown: _field(value, each, kind) for each in selected}


def _field(value: Object, asked: Selected, kind: str) -> object:
    if asked.name not in value:
        raise QueryError(f'Cannot query field "{asked.name}" on type "{kind}".')
    found = value[asked.name]
    match found:
        case Connection():
            return _connection(found, asked)
        case Field():
            found = found.of(_arguments(asked, found.arguments))
        case _ if asked.arguments:
            raise QueryError(f'Unknown argument on field "{asked.name}".')
    return _selected(found, asked)


def _selected(found: object, asked: Selected) -> object:
    if isinstance(found, list):
        return [_selected(each, asked) for each in found]
    if isinstance(found, dict):
        if not asked.below:
            raise QueryError(f'Field "{asked.name}" must have a selection of subfields.')
        return _shown(found, asked.below, asked.name)
    if asked.below and found is not None:
        raise QueryError(f'Field "{asked.name}" must not have a selection.')
    return found


def _connection(connection: Connection, asked: Selected) -> Object:
    types = {connection.size: "Int", connection.after: "Cursor", **connection.arguments}
    given = _arguments(asked, types)
    first = given.get(connection.size)
    if not isinstance(first, int):
        raise QueryError(f"You must give {connection.size}.", "MISSING_PAGINATION_BOUNDARIES")
    nodes = [node for node in connection.nodes if connection.keep(given, node)]
    after = given.get(connection.after)
    begin = int(base64.b64decode(str(after)).decode()) if after else 0
    page = nodes[begin : begin + min(first, connection.largest)]
    cursors = [base64.b64encode(str(begin + number + 1).encode()).decode() for number in range(len(page))]
    info = {"hasNextPage": begin + len(page) < len(nodes), "endCursor": cursors[-1] if cursors else None}
    shown: Object = {"pageInfo": info, "totalCount": len(nodes)}
    edges = [{"cursor": cursor, "node": node} for cursor, node in zip(cursors, page, strict=True)]
    offered = {"edges": edges, "nodes": list(page)}
    shown |= {name: offered[name] for name in connection.nodes_at}
    return _shown(shown, asked.below, f"{asked.name}Connection")


def _arguments(asked: Selected, types: Mapping[str, str]) -> Object:
    given: Object = {}
    for name, value in asked.arguments.items():
        if name not in types:
            raise QueryError(f'Unknown argument "{name}" on field "{asked.name}".')
        given[name] = _read(name, value, types[name])
    return given


def _read(name: str, value: object, kind: str) -> object:
    """The value of an argument of a type. Raises QueryError for another type's value."""
    if isinstance(value, Variable):
        if value.type not in (kind, f"{kind}!"):
            text = f'Variable "${value.name}" of type "{value.type}" used in position expecting type "{kind}".'
            raise QueryError(text)
        return _coerced(name, value.value, kind, literal=False)
    return _coerced(name, value, kind, literal=True)


def _coerced(name: str, value: object, kind: str, *, literal: bool) -> object:
    base = kind.removesuffix("!")
    if value is None and base == kind:
        return None
    if base.startswith("["):
        items = value if isinstance(value, list) else [value]
        return [_coerced(name, each, base[1:-1], literal=literal) for each in items]
    if base in INPUTS and isinstance(value, dict) and value.keys() <= INPUTS[base].keys():
        return {each: _coerced(each, what, INPUTS[base][each], literal=literal) for each, what in value.items()}
    is_text = isinstance(value, str) and not isinstance(value, EnumValue)
    is_enum = base in ENUMS and value in ENUMS[base] and isinstance(value, EnumValue) == literal
    fits = {"Int": type(value) is int, "Boolean": type(value) is bool, "Float": type(value) in (int, float)}
    if not (is_enum or (base in TEXTS and is_text) or fits.get(base)):
        raise QueryError(f'{base} cannot represent {value!r} (argument "{name}").')
    return value
