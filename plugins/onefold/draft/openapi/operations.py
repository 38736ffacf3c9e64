"""The operations of a description that answer a list: what is asked, and what the answer holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from onefold.catalog.request import names_in_braces
from onefold.draft.model import Value
from onefold.draft.openapi.document import Document, Node, child, items
from onefold.draft.openapi.schema import Schemas
from onefold.draft.paging import Parameter

_SEARCH = re.compile(r"(^|[/_.-])(search|query|find|filter|list|lookup)([/_.-]|$)|search|query", re.IGNORECASE)
_GOOD = ("200", "2XX", "2xx", "206", "default")
_LINK = "link"
_BRACES = re.compile(r"[{}]")
TO_REPLACE = "TODO"
"""What stands where the description names no value."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its parameters in the query by lower-case name, and its answer's schema and example.

    `body` is an example of what a search that is a POST sends, as JSON, `parts` what its schema names."""

    method: str
    path: str
    title: str
    text: str
    parameters: Mapping[str, Parameter]
    schema: object
    example: object
    link: bool
    body: str | None = None
    parts: Mapping[str, Parameter] = field(default_factory=dict)
    deprecated: bool = False

    @property
    def named(self) -> str:
        return f"{self.method} {self.path}"


def operations(document: Document) -> Iterator[Operation]:
    """Every GET, and every POST that by its name is a search."""
    for path, given in document.child(document.root, "paths").items():
        item = document.node(given)
        for method in ("get", "post"):
            operation = document.node(item.get(method))
            named = f"{path} {operation.get('operationId', '')}"
            if not operation or (method == "post" and not _SEARCH.search(named)):
                continue
            yield _operation(document, method.upper(), str(path), item, operation)


def _operation(document: Document, method: str, path: str, item: Node, operation: Node) -> Operation:
    response = _response(document, operation)
    schema, example = _content(document, response)
    texts = (str(operation.get(key) or "") for key in ("summary", "description"))
    body, parts = _body(document, operation) if method == "POST" else (None, {})
    headers = [str(name).lower() for name in document.child(response, "headers")]
    return Operation(
        method=method,
        path=path,
        title=str(operation.get("summary") or operation.get("operationId") or path),
        text=" ".join([*texts, str(response.get("description") or "")]),
        parameters=_parameters(document, item, operation),
        schema=schema,
        example=example,
        link=_LINK in headers,
        body=body,
        parts=parts,
        deprecated=operation.get("deprecated") is True,
    )


def _response(document: Document, operation: Node) -> Node:
    responses = {str(code): response for code, response in document.child(operation, "responses").items()}
    return document.node(next((responses[code] for code in _GOOD if code in responses), None))


def _content(document: Document, response: Node) -> tuple[object, object]:
    """The schema and an example of the answer; Swagger 2 has them without `content`."""
    if "schema" in response or "examples" in response:
        examples = child(response, "examples")
        by_type = examples if isinstance(examples, dict) else {}
        return response.get("schema"), next((by_type[name] for name in by_type if "json" in str(name)), None)
    content = document.child(response, "content")
    media = document.node(next((content[name] for name in content if "json" in str(name)), None))
    return media.get("schema"), example_of(document, media)


def example_of(document: Document, media: Node) -> object:
    """The example of a media type: its own, the first of several, or its schema's; None where there is none."""
    if "example" in media:
        return _read(media["example"])
    several = child(media, "examples")
    for given in several.values() if isinstance(several, dict) else ():
        value = document.node(given).get("value")
        if value is not None:
            return _read(value)
    schema = document.node(media.get("schema"))
    return _read(schema.get("example"))


def _read(example: object) -> object:
    """An example that was written as text of JSON is what it says."""
    if isinstance(example, str) and example.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(example)
        except (ValueError, RecursionError):
            return None
    return example


def _parameters(document: Document, item: Node, operation: Node) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    for given in [*items(item, "parameters"), *items(operation, "parameters")]:
        each = document.node(given)
        if each.get("in") == "query" and each.get("name"):
            schema = document.node(each["schema"]) if "schema" in each else each
            example = each.get("example", schema.get("example"))
            name = str(each["name"])
            found[name.lower()] = Parameter(name, schema, each.get("required") is True, example)
    return found


def _body(document: Document, operation: Node) -> tuple[str, dict[str, Parameter]]:
    """An example of what is sent, as JSON, and the top-level parts that its schema names."""
    content = document.child(operation, "requestBody", "content")
    media = document.node(next((content[name] for name in content if "json" in str(name)), None))
    example = example_of(document, media)
    properties = Schemas(document).properties(media.get("schema"))
    parts = {name.lower(): Parameter(name, each.schema, each.required) for name, each in properties.items()}
    text = json.dumps(example if isinstance(example, dict) else {}, ensure_ascii=False)
    return "{}" if names_in_braces(text, body=True) else text, parts


def required_parameters(parameters: Iterable[Parameter]) -> dict[str, Value]:
    """What must be sent, with the value that the description names or a word to replace."""
    sent: dict[str, Value] = {}
    for each in parameters:
        if each.required:
            choices = items(each.schema, "enum")
            given = each.example if each.example is not None else each.schema.get("default")
            value = given if given is not None else choices[0] if choices else TO_REPLACE
            text = str(value).lower() if isinstance(value, bool) else str(value)
            sent[each.name] = TO_REPLACE if _BRACES.search(text) else text
    return sent


class SchemaAnswers:
    """An answer as its schema describes it."""

    def __init__(self, document: Document, schemas: Schemas) -> None:
        self._document, self._schemas = document, schemas

    def members(self, node: object) -> Iterable[tuple[str, object]]:
        """The parts of an object by name."""
        schema = self._schemas.alone(node)
        return (
            [] if self._is_list(schema) else [(n, each.schema) for n, each in self._schemas.properties(schema).items()]
        )

    def listed(self, node: object) -> tuple[str, ...] | None:
        """The names of the fields of a list's objects; none of a list of scalars; None where it is no list."""
        schema = self._schemas.alone(node)
        if not self._is_list(schema):
            return None
        return tuple(self._schemas.properties(self._schemas.alone(schema.get("items"))))

    def at(self, node: object, keys: tuple[str, ...]) -> Node:
        """The schema of what is listed below these keys."""
        for key in keys:
            node = self._schemas.properties(self._schemas.alone(node))[key].schema
        return self._schemas.alone(self._schemas.alone(node).get("items"))

    @staticmethod
    def _is_list(schema: Node) -> bool:
        stated = schema.get("type")
        return stated == "array" or (isinstance(stated, list) and "array" in stated) or "items" in schema
