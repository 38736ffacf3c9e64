"""A draft from an example answer of a REST service: what a stranger has most often."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

from onefold.draft.guesses import fitting, guessed_cursor, guessed_keys
from onefold.draft.json_sample import JsonAnswers, by_their_ids, sampled_fields
from onefold.draft.lists import by_ids, candidates, doubt, scalar_places
from onefold.draft.model import Draft, DraftStream, Mark, Value
from onefold.draft.names import fields_of, keyed_fields, stream_name
from onefold.draft.origin import Origin
from onefold.draft.paging import UNKNOWN, Listing, following, token_place
from onefold.errors import Fatal

_SECRET = ("key", "token", "secret", "password", "sig", "auth")


def json_draft(origin: Origin) -> Draft:
    """Raises Fatal when the answer is no JSON, or has no list of objects."""
    text = origin.text()
    body, lines = _read(text, origin.shown)
    path, params, host = _asked(origin)
    answers, named = JsonAnswers(), stream_name(path.rstrip("/").rpartition("/")[2] or origin.stem)
    found = candidates(answers, body, named)
    by_id = None if found else by_ids(answers, body, by_their_ids)
    if not found and by_id is None:
        raise Fatal(f"{origin.shown} has no list of objects: give an answer that lists some records")
    keys = found[0].keys if found else by_id[0] if by_id else ()
    rows = answers.at(body, keys) if found else by_their_ids(_below(body, keys))
    fields, marks = fields_of(sampled_fields(rows))
    if by_id:
        id_field, fields = keyed_fields(fields)
        marks.append(Mark("answer", "an object of records by their ids"))
    primary = [id_field] if by_id else guessed_keys(fields, named)
    marks.append(
        Mark("primary_key", "it is a guess" if fitting(primary) else "nothing in the records looks like a key")
    )
    marks.append(Mark("fields", f"types and what may be absent are guessed from {len(rows)} records"))
    unsure = doubt(found) if found else None
    marks += [Mark("records", unsure)] if unsure else []
    marks += [Mark("request", "each line of the answer is a record (NDJSON)")] if lines else []
    going_on, about = _going_on(body, keys)
    marks += [Mark("next", about)] if about else []
    stamp = guessed_cursor(fields)
    marks.append(Mark("cursor" if stamp else "", "which parameter asks for what changed: each load reads everything"))
    marks += [] if host else [Mark("request", "the path of the listing")]
    request: dict[str, Value] = {"path": path}
    if params:
        request["params"] = dict(params)
    stream = DraftStream(
        name=named, title=named.replace("_", " ").capitalize(), fields=fields, keys=primary, request=request,
        records=".".join(keys), following=going_on, cursor={"fields": [stamp]} if stamp else {},
        more={"answer": {"keyed": primary[0]}} if by_id else {}, marks=tuple(marks),
    )  # fmt: skip
    system = (Mark("connection", f"its host is {host}" if host else "its host"), Mark("auth", "how it lets us in"))
    return Draft(
        "rest", f"REST service {urlsplit(host).hostname or origin.stem}", [stream], {"kind": "none"}, {}, system
    )


def _below(body: object, keys: tuple[str, ...]) -> object:
    for key in keys:
        body = body.get(key) if isinstance(body, dict) else None
    return body


def _read(text: str, named: str) -> tuple[object, bool]:
    """The answer; where each line is a record, the list of them, and that it is so."""
    try:
        return json.loads(text), False
    except ValueError:
        pass
    except RecursionError:
        raise Fatal(f"{named} is nested too deep to be read; give an answer that lists some records") from None
    try:
        # Not splitlines: a line separator (U+2028) may stand in a text of JSON.
        return [json.loads(line) for line in text.split("\n") if line.strip()], True
    except (ValueError, RecursionError):
        raise Fatal(f"{named} is no JSON: save the body of an answer as it came") from None


def _asked(origin: Origin) -> tuple[str, dict[str, str], str]:
    """Path and parameters of the request, and its host; of a file, the path that its name suggests. What looks like a
    key stays out."""
    if not origin.is_web:
        return f"/{origin.stem}", {}, ""
    parts = urlsplit(origin.location)
    given = parse_qsl(parts.query)
    params = {name: value for name, value in given if not any(word in name.lower() for word in _SECRET)}
    return parts.path or "/", params, f"{parts.scheme}://{parts.netloc}"


def _going_on(body: object, list_at: tuple[str, ...]) -> tuple[dict[str, Value], str | None]:
    listing = Listing({}, tuple(scalar_places(JsonAnswers(), body)), is_list=not list_at)
    going_on, about = following(listing)
    if not going_on and (place := token_place(listing)):
        name = place.rpartition(".")[2].removeprefix("next_").removeprefix("next") or "cursor"
        return {"kind": "token", "path": place, "parameter": name}, "which parameter carries it to the next request"
    return going_on, about if going_on else UNKNOWN
