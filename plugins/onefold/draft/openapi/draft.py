"""The draft: every operation that answers a list of objects is a stream, and what is none is said with its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from onefold.draft.guesses import fitting, guessed_cursor, guessed_keys
from onefold.draft.json_sample import JsonAnswers, sampled_fields
from onefold.draft.lists import Candidate, by_ids, candidates, doubt, scalar_places
from onefold.draft.model import Draft, DraftStream, Fields, Mark, Value
from onefold.draft.names import Given, fields_of, keyed_fields, stream_name, with_distinct_names
from onefold.draft.openapi.children import Listed, child_of, parent_path
from onefold.draft.openapi.document import Document, Node, OpenFile, child, items
from onefold.draft.openapi.operations import (
    TO_REPLACE,
    Operation,
    SchemaAnswers,
    operations,
    required_parameters,
)
from onefold.draft.openapi.schema import Schemas
from onefold.draft.openapi.security import sign_in
from onefold.draft.paging import Listing, Parameter, following, page_size
from onefold.errors import Fatal

_CHANGED = r"(last_?)?(updated?|modified|changed?|modification)(_?(at|on|date|time|datetime|timestamp))?"
_SINCE = re.compile(
    rf"(if_?)?{_CHANGED}[_.\[]*(since|after|gte?|from|min|start)\]?|(min|from|start)_?{_CHANGED}|since", re.IGNORECASE
)
_UNTIL = re.compile(
    rf"{_CHANGED}[_.\[]*(until|before|lte?|to|max|end)\]?|(max|to|end)_?{_CHANGED}|until", re.IGNORECASE
)
_ANY_TIME = re.compile(r"(start|begin|from)(_?(date|time|at))?|date_?from", re.IGNORECASE)
_VERB = re.compile(
    r"^(gets?|lists?|retrieves?|fetch(es)?|returns?|shows?|reads?|finds?|search(es)?)\s+((a|the)\s+list\s+of\s+)?"
    r"((all|the|a|an)\s+)*(?=\S)",
    re.IGNORECASE,
)
IN_BODY = "how its body asks for the next page"
NOTHING_ASKS = "no parameter asks for what changed, so each load reads everything"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What an operation answers: where its list is, its objects' fields, and what to check of both."""

    keys: tuple[str, ...]
    given: list[Given]
    doubt: str | None
    places: list[tuple[str, ...]]
    stamps: Mapping[str, str]
    kinds: Mapping[tuple[str, ...], str]
    keyed: bool = False


def openapi_draft(text: str, open_file: OpenFile) -> Draft:
    """Raises Fatal when the text is no OpenAPI 3 or Swagger 2 description, or describes no list."""
    document = Document(text, open_file)
    schemas = Schemas(document)
    host, base = _server(document)
    streams, left_out = _streams(document, schemas, base)
    if not streams:
        why = f": {'; '.join(left_out[:3])}" if left_out else ""
        raise Fatal(f"the description has no GET without path parameters that answers a list of objects{why}")
    auth, marks = sign_in(document)
    marks.append(Mark("connection", f"its host is {host}" if host else "its host: the description names none"))
    title = str(document.child(document.root, "info").get("title") or "REST service")
    return Draft("rest", title, streams, auth, marks=tuple(marks), left_out=tuple(left_out))


def _streams(document: Document, schemas: Schemas, base: str) -> tuple[list[DraftStream], list[str]]:
    """The streams, parents before their children, and what is none with the reason."""
    left_out: list[str] = []
    listed: dict[str, Listed] = {}
    named: list[DraftStream] = []
    for operation in sorted(operations(document), key=lambda each: each.path.count("{")):
        found = _stream(document, schemas, operation, base)
        above = parent_path(operation.path)
        if isinstance(found, str):
            if "{" not in operation.path:  # else it is one object, which some list has too
                left_out.append(f"{operation.named}: {found}")
            continue
        child = Listed(found, {})
        if above:
            parent = listed.get(above[0])
            own = child_of(parent, found, above[1]) if parent else None
            if own is None:
                left_out.append(f"{operation.named}: asked for once for each of {above[0]}, which is no stream here")
                continue
            child = own
        elif "{" in operation.path:
            left_out.append(f"{operation.named}: its path ends with a parameter: a look-up")
            continue
        named = with_distinct_names([*named, child.stream])
        if operation.method == "GET":
            listed[operation.path.rstrip("/")] = replace(child, stream=named[-1])
    return named, left_out


def _stream(document: Document, schemas: Schemas, operation: Operation, base: str) -> DraftStream | str:
    """The operation's stream, or why it is none."""
    own = _own_name(operation.path)
    answer = _answer(document, schemas, operation, stream_name(own))
    if isinstance(answer, str):
        return answer
    name = stream_name(own or (answer.keys or ("records",))[-1])
    fields, marks = fields_of(answer.given)
    if answer.keyed:
        id_field, fields = keyed_fields(fields)
    keys = [id_field] if answer.keyed else guessed_keys(fields, name)
    sure = fitting(keys)
    marks.append(Mark("primary_key", "it is a guess" if sure else "nothing in the records looks like a key"))
    cursor, params, about_params = _changes(fields, answer.stamps, operation)
    marks += about_params
    sent = required_parameters(each for each in operation.parameters.values() if each.name not in params)
    if TO_REPLACE in sent.values():
        marks.append(Mark("request", f"what to send as {', '.join(key for key, v in sent.items() if v == TO_REPLACE)}"))
    params = {**sent, **params, **page_size(operation.parameters)}
    in_body = operation.method == "POST" and bool(operation.parts)
    listing = Listing(
        operation.parts if in_body else operation.parameters, tuple(answer.places), operation.link,
        _source_name(fields, keys[0]), is_list=not answer.keys, text=operation.text, kinds=answer.kinds,
    )  # fmt: skip
    going_on, unsure = following(listing)
    if operation.method == "POST" and going_on.get("kind") in (None, "url", "link"):
        going_on, unsure = {}, IN_BODY
    elif in_body:
        going_on["place"] = "body"
    params.pop(str(going_on.get("parameter")), None)
    marks += [Mark("next", unsure)] if unsure else []
    marks += [Mark("answer" if answer.keyed else "records", answer.doubt)] if answer.doubt else []
    marks += [Mark("", "the description calls it deprecated")] if operation.deprecated else []
    request: dict[str, Value] = {"path": base + operation.path}
    if operation.method == "POST":
        request = {"method": "POST", **request, "headers": {"Content-Type": "application/json"}}
        request["body"] = operation.body
        marks.append(Mark("request", "it is a search by POST: that it changes nothing, and what its body must say"))
    if params:
        request["params"] = dict(params)
    return DraftStream(
        name=name,
        title=_title(operation.title),
        fields=fields,
        keys=keys,
        request=request,
        records=".".join(answer.keys),
        following=going_on,
        cursor=cursor,
        more={"answer": {"keyed": keys[0]}} if answer.keyed else {},
        marks=tuple(marks),
        path=operation.path,
    )


def _answer(document: Document, schemas: Schemas, operation: Operation, name: str) -> _Answer | str:
    described = SchemaAnswers(document, schemas)
    found = candidates(described, operation.schema, name)
    if found:
        best = found[0]
        rows = described.at(operation.schema, best.keys)
        stamps = {
            each: kind for each, one in schemas.properties(rows).items() if (kind := schemas.is_unix_time(one.schema))
        }
        places = scalar_places(described, operation.schema)
        kinds = {keys: _kind_at(schemas, operation.schema, keys) for keys in places}
        return _whole(found, list(schemas.fields(rows)), places, stamps, kinds)
    if by_id := by_ids(described, operation.schema, schemas.keyed):
        text = "an object of records by their ids"
        return _Answer(by_id[0], list(schemas.fields(by_id[1])), text, [], {}, {}, keyed=True)
    shown = JsonAnswers()
    found = candidates(shown, operation.example, name)
    if found:
        rows_shown = shown.at(operation.example, found[0].keys)
        answer = _whole(found, list(sampled_fields(rows_shown)), scalar_places(shown, operation.example), {}, {})
        return answer if isinstance(answer, str) else _from_example(answer)
    return "its answer has no list of objects"


def _from_example(answer: _Answer) -> _Answer:
    text = "the fields are those of the example: no schema names them"
    both = f"{answer.doubt}; {text}" if answer.doubt else text
    return _Answer(answer.keys, answer.given, both, answer.places, answer.stamps, answer.kinds)


def _whole(
    found: list[Candidate], given: list[Given], places: list[tuple[str, ...]], stamps: Mapping[str, str],
    kinds: Mapping[tuple[str, ...], str],
) -> _Answer | str:  # fmt: skip
    if not given:
        return "the objects of its list have no fields that are described"
    return _Answer(found[0].keys, given, doubt(found), places, stamps, kinds)


def _kind_at(schemas: Schemas, schema: object, keys: tuple[str, ...]) -> str:
    for key in keys:
        schema = schemas.properties(schemas.alone(schema))[key].schema
    return schemas.kind(schema)


def _changes(
    fields: Fields, stamps: Mapping[str, str], operation: Operation
) -> tuple[dict[str, Value], dict[str, Value], list[Mark]]:
    """The cursor, the parameters that ask for what changed, and what to check of them."""
    stamp = guessed_cursor(fields)
    cursor: dict[str, Value] = {"fields": [stamp]} if stamp else {}
    unix = guessed_cursor({name: {} for name in fields if name in stamps})
    if not stamp and unix:
        cursor = {"fields": [unix], "kind": stamps[unix]}
    since = _parameter(operation.parameters, _SINCE)
    until = _parameter(operation.parameters, _UNTIL)
    if since is None:
        other = _parameter(operation.parameters, _ANY_TIME)
        asks = f"; does {other.name} ask for what changed since then?" if other else ""
        return cursor, {}, [Mark("cursor" if cursor else "", f"{NOTHING_ASKS}{asks}")]
    params: dict[str, Value] = {since.name: _window("start", since)}
    if until:
        params[until.name] = _window("end", until)
    marks = [Mark("request", f"that {since.name} means changed since then")]
    return cursor, params, marks if cursor else [*marks, Mark("", "no field says when a record was changed")]


def _window(end: str, parameter: Parameter) -> str:
    form, kind = parameter.schema.get("format"), parameter.schema.get("type")
    if kind in ("integer", "number"):
        return f"{{{end}_unix}}"
    return f"{{{'first' if end == 'start' else 'last'}_day}}" if form == "date" else f"{{{end}}}"


def _parameter(parameters: Mapping[str, Parameter], shape: re.Pattern[str]) -> Parameter | None:
    return next((each for name, each in parameters.items() if shape.fullmatch(name)), None)


def _source_name(fields: Fields, name: str) -> str:
    return str(fields[name].get("path") or name)


def _title(summary: str) -> str:
    """What is listed: `List all pets` becomes Pets."""
    text = _VERB.sub("", summary.strip()).strip().rstrip(".")
    return text[:1].upper() + text[1:] if text else summary


def _own_name(path: str) -> str:
    """The last part of the path that says what is listed: /v1/orders/search.json lists orders. "" of `/`."""
    parts = [re.sub(r"\.(json|xml|php|aspx?|svc)$", "", part) for part in path.split("/") if part and "{" not in part]
    telling = [part for part in parts if part.lower() not in ("search", "query", "list", "all", "find", "filter")]
    return (telling or parts or [""])[-1]


def _server(document: Document) -> tuple[str, str]:
    """The address of the first server, and the path on it that all paths begin with."""
    root: Node = document.node(document.root)
    if document.swagger2:
        schemes = [str(each) for each in items(root, "schemes")]
        scheme = "https" if "https" in schemes or not schemes else schemes[0]
        host, path = str(root.get("host") or ""), str(root.get("basePath") or "")
        return (f"{scheme}://{host}" if host else ""), path.rstrip("/")
    servers = items(root, "servers")
    if not servers:
        return "", ""
    first = document.node(servers[0])
    url = str(first.get("url") or "")
    for name, variable in document.child(first, "variables").items():
        url = url.replace(f"{{{name}}}", str(child(variable, "default") or f"{{{name}}}"))
    try:
        parts = urlsplit(urljoin("//", url))
    except ValueError:
        return "", ""
    path = parts.path.rstrip("/")
    return (f"{parts.scheme or 'https'}://{parts.netloc}" if parts.netloc else ""), "" if "{" in path else path
