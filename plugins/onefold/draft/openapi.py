"""A draft from an OpenAPI 3 description (JSON or YAML): every GET that answers a list of objects is a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import yaml

from onefold.draft.model import Draft, DraftStream, Fields, Value, field_of, guessed_cursor, guessed_keys, stream_name
from onefold.errors import Fatal

Node = Mapping[str, object]

_TYPES = {"integer": "integer", "number": "numeric", "boolean": "boolean", "object": "json", "array": "json"}
_FORMATS = {"date-time": "timestamp", "date": "date"}
_NEXT = ("next", "nextlink", "next_url", "nexturl", "@odata.nextlink", "next_page_url")
_PAGE = {"page": "number", "pagenumber": "number", "page_number": "number", "offset": "offset", "skip": "offset"}
_SIZE = ("limit", "per_page", "pagesize", "page_size", "size", "top", "pagelimit")
_SINCE = ("updated_since", "modified_since", "changed_since", "updated_after", "since", "from", "updated_from")
_LARGEST = 6
"""How deep references and allOf are followed: schemas may refer to themselves."""


def openapi_draft(text: str) -> Draft:
    """Raises Fatal when the text is no OpenAPI 3 description, or describes no list."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Fatal(
            "the OpenAPI description is neither JSON nor YAML; give the file itself, not its web page"
        ) from error
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3"):
        raise Fatal("this is no OpenAPI 3 description: it has no `openapi: 3.…`. Convert a Swagger 2 file first.")
    streams = [stream for path, item in _map(document, "paths").items() for stream in _streams(document, path, item)]
    if not streams:
        raise Fatal("the description has no GET without path parameters that answers a list of objects")
    info = _map(document, "info")
    return Draft("rest", str(info.get("title", "REST service")), streams, _auth(document))


def _streams(document: Node, path: str, item: object) -> Iterator[DraftStream]:
    operation = item.get("get") if isinstance(item, dict) else None
    if not isinstance(operation, dict) or "{" in path:
        return
    parameters = {
        str(found["name"]).lower(): found
        for given in [*_list(cast(Node, item), "parameters"), *_list(operation, "parameters")]
        if isinstance(found := _resolved(document, given), dict) and found.get("in") == "query"
    }
    body = _answer(document, operation)
    records, schema = _listed(document, body)
    if schema is None:
        return
    fields = _fields(document, schema)
    if not fields:
        return
    stamp = guessed_cursor(fields)
    doubts = ["primary_key is a guess"]
    params: dict[str, Value] = {}
    since = next((parameters[name] for name in _SINCE if name in parameters), None)
    if since is not None:
        params[str(since["name"])] = "{start}"
    elif stamp:
        doubts.append("no parameter asks for what changed, so each load reads everything")
    if size := _page_size(parameters):
        params |= size
    following = _following(document, body, parameters)
    request: dict[str, Value] = {"path": path} | ({"params": params} if params else {})
    yield DraftStream(
        name=stream_name(path.rstrip("/").rpartition("/")[2]),
        title=str(operation.get("summary") or path),
        fields=fields,
        keys=guessed_keys(fields),
        request=request,
        records=records,
        following=following,
        cursor={"fields": [stamp]} if stamp else {},
        doubts=tuple(doubts),
    )


def _answer(document: Node, operation: Node) -> object:
    responses = {str(code): response for code, response in _map(operation, "responses").items()}
    good = next((responses[code] for code in ("200", "2XX", "default") if code in responses), None)
    content = _map(_resolved(document, good), "content")
    kind = next((content[name] for name in content if "json" in str(name)), None)
    return _resolved(document, _map(kind, "schema")) if isinstance(kind, dict) else None


def _listed(document: Node, body: object) -> tuple[str, Node | None]:
    """Where the list stands in the body (dotted), and the schema of its objects."""
    if not isinstance(body, dict):
        return "", None
    if body.get("type") == "array":
        return "", _object(document, body.get("items"))
    for name, given in _properties(document, body).items():
        found = _resolved(document, given)
        if isinstance(found, dict) and found.get("type") == "array":
            schema = _object(document, found.get("items"))
            if schema is not None:
                return str(name), schema
    return "", None


def _object(document: Node, given: object) -> Node | None:
    found = _resolved(document, given)
    return found if isinstance(found, dict) and _properties(document, found) else None


def _fields(document: Node, schema: Node) -> Fields:
    required = {str(name) for name in _list(schema, "required")}
    for part in _list(schema, "allOf"):
        required |= {str(name) for name in _list(_resolved(document, part), "required")}
    fields: Fields = {}
    for name, given in _properties(document, schema).items():
        found = _resolved(document, given)
        kind = "text"
        if isinstance(found, dict):
            stated = found.get("type")
            stated = next((each for each in stated if each != "null"), None) if isinstance(stated, list) else stated
            kind = _FORMATS.get(str(found.get("format"))) or _TYPES.get(str(stated), "text")
            kind = "json" if stated is None and _properties(document, found) else kind
        fields[str(name)] = field_of(str(name), kind, required=str(name) in required)
    return fields


def _following(document: Node, body: object, parameters: Mapping[str, Node]) -> dict[str, Value]:
    for name in _properties(document, body) if isinstance(body, dict) else ():
        if str(name).lower() in _NEXT:
            return {"kind": "url", "path": str(name)}
    for name, kind in _PAGE.items():
        if name in parameters:
            return {"kind": kind, "parameter": str(parameters[name]["name"])}
    return {}


def _page_size(parameters: Mapping[str, Node]) -> dict[str, Value]:
    """The parameter that asks for so many records a page, with the most that it allows."""
    size = next((given for name, given in parameters.items() if name in _SIZE), None)
    most = _map(size, "schema").get("maximum") or _map(size, "schema").get("default") if size else None
    return {str(size["name"]): str(most)} if size and isinstance(most, int) else {}


def _auth(document: Node) -> dict[str, Value]:
    for given in _map(_map(document, "components"), "securitySchemes").values():
        scheme = _resolved(document, given)
        if not isinstance(scheme, dict):
            continue
        if scheme.get("type") == "http" and scheme.get("scheme") == "basic":
            return {"kind": "basic"}
        flow = _map(_map(scheme, "flows"), "clientCredentials")
        if scheme.get("type") == "oauth2" and flow:
            return {"kind": "oauth2_client_credentials", "token_path": str(flow.get("tokenUrl", "/oauth2/token"))}
    return {}


def _properties(document: Node, schema: Node) -> Node:
    """The schema's properties, those of its allOf too."""
    found = dict(_map(schema, "properties"))
    for part in _list(schema, "allOf"):
        resolved = _resolved(document, part)
        if isinstance(resolved, dict):
            found |= _properties(document, resolved)
    return found


def _resolved(document: Node, given: object) -> object:
    """What a reference within the document points to; anything else as it is."""
    for _ in range(_LARGEST):
        reference = given.get("$ref") if isinstance(given, dict) else None
        if not isinstance(reference, str):
            return given
        if not reference.startswith("#/"):
            raise Fatal(f"the description refers to another file ({reference}); bundle it into one file first")
        given = document
        for step in reference[2:].split("/"):
            given = given.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(given, dict) else None
    return None


def _map(node: object, key: str) -> Node:
    found = node.get(key) if isinstance(node, dict) else None
    return found if isinstance(found, dict) else {}


def _list(node: object, key: str) -> list[object]:
    found = node.get(key) if isinstance(node, dict) else None
    return found if isinstance(found, list) else []
