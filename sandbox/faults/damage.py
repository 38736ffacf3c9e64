"""What a fault does to an answer's body: pure functions from bytes to bytes."""

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Literal

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
Retyped = Literal["string", "number", "object"]

HTML_PAGE = (
    b"<!DOCTYPE html><html><head><title>Service temporarily unavailable</title></head>"
    b"<body><h1>Przerwa techniczna</h1><p>Please try again later.</p></body></html>"
)


def _in_json(body: bytes, change: Callable[[dict[str, Json]], dict[str, Json]]) -> bytes | None:
    """The JSON body with `change` applied to every object in it; None when the body is not JSON."""

    def walk(node: Json) -> Json:
        if isinstance(node, dict):
            return change({name: walk(value) for name, value in node.items()})
        return [walk(item) for item in node] if isinstance(node, list) else node

    try:
        document = json.loads(body)
    except ValueError:
        return None
    return json.dumps(walk(document), separators=(",", ":")).encode()


def _element(field: str) -> re.Pattern[str]:
    """Matches the element in plain XML and in XML escaped inside a string."""
    name = re.escape(field)
    return re.compile(
        rf"(?P<open>(?:<|&lt;)(?:\w+:)?{name}(?:\s[^<>&]*)?(?:>|&gt;))"
        rf"(?P<content>.*?)"
        rf"(?P<close>(?:<|&lt;)/(?:\w+:)?{name}\s*(?:>|&gt;))",
        re.DOTALL,
    )


def _in_xml(body: bytes, field: str, change: Callable[[re.Match[str]], str]) -> bytes:
    text = body.decode("utf-8", "surrogateescape")
    return _element(field).sub(change, text).encode("utf-8", "surrogateescape")


def rename_field(body: bytes, field: str, to: str) -> bytes:
    """The body with the field (JSON) or element (XML) called `to` wherever it occurs."""

    def in_object(node: dict[str, Json]) -> dict[str, Json]:
        return {to if name == field else name: value for name, value in node.items()}

    def in_element(match: re.Match[str]) -> str:
        opening, closing = (match[part].replace(field, to, 1) for part in ("open", "close"))
        return f"{opening}{match['content']}{closing}"

    changed = _in_json(body, in_object)
    return _in_xml(body, field, in_element) if changed is None else changed


def drop_field(body: bytes, field: str) -> bytes:
    """The body without the field or element."""

    def in_object(node: dict[str, Json]) -> dict[str, Json]:
        return {name: value for name, value in node.items() if name != field}

    changed = _in_json(body, in_object)
    return _in_xml(body, field, lambda _: "") if changed is None else changed


def csv_column(body: bytes, field: str, to: str | None) -> bytes:
    """The CSV with the column called `to`, or without it; as it was where it has no such column."""
    lines = list(csv.reader(io.StringIO(body.decode(), newline="")))
    if not lines or field not in lines[0]:
        return body
    place = lines[0].index(field)
    if to is None:
        lines = [line[:place] + line[place + 1 :] for line in lines]
    else:
        lines[0][place] = to
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(lines)
    return file.getvalue().encode()


def retype_field(body: bytes, field: str, to: Retyped) -> bytes:
    """The body with the field's values of another type; null stays null.

    XML has no types, so there a "number" becomes digits, a "string" words, an "object" a child element.
    """

    def in_object(node: dict[str, Json]) -> dict[str, Json]:
        return {name: _retyped(value, to) if name == field else value for name, value in node.items()}

    def in_element(match: re.Match[str]) -> str:
        content = {
            "string": "nie dotyczy",
            "number": "12345",
            "object": f"{match['open']}{match['content']}{match['close']}",
        }[to]
        return f"{match['open']}{content}{match['close']}"

    changed = _in_json(body, in_object)
    return _in_xml(body, field, in_element) if changed is None else changed


def _retyped(value: Json, to: Retyped) -> Json:
    if value is None:
        return None
    if to == "object":
        return {"value": value}
    if to == "string":
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    digits = "".join(letter for letter in str(value) if letter.isdigit())
    return int(digits or "0")


def with_bom(body: bytes) -> bytes:
    """The body behind a UTF-8 byte order mark."""
    return b"\xef\xbb\xbf" + body


def pointing_at_itself(body: bytes, relative_url: str, absolute_url: str) -> bytes | None:
    """The page with its next-page link leading to itself; None when it has no next page.

    Salesforce's nextRecordsUrl is relative to the instance, OData's __next and @odata.nextLink are absolute.
    """
    found = False

    def in_object(node: dict[str, Json]) -> dict[str, Json]:
        nonlocal found
        for name, url in (
            ("nextRecordsUrl", relative_url),
            ("__next", absolute_url),
            ("@odata.nextLink", absolute_url),
        ):
            if node.get(name):
                node[name] = url
                found = True
        return node

    changed = _in_json(body, in_object)
    return changed if found else None
