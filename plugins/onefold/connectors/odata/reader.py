"""OData sources, versions 2 and 4 (OASIS OData 4.01 Part 2; OData v2 URI conventions and JSON format)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import msgspec

from onefold.catalog.request import Request
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.completeness import Completeness
from onefold.connectors.cursor import cursor_text
from onefold.connectors.nested import NestedRecords
from onefold.connectors.page import Page, PageReader
from onefold.connectors.paging import Fetched, next_address, pages
from onefold.connectors.records import Body, Splitter, dotted, sound_json
from onefold.connectors.signs import whole_number
from onefold.connectors.window import Window
from onefold.connectors.window_text import ceiling_text, filled, floor_text, placeholders
from onefold.errors import Fatal
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client

RECORDS = {2: ("d", "results"), 4: ("value",)}
NEXT = {2: ("d", "__next"), 4: ("@odata.nextLink",)}


def odata_reader(system: System, stream_name: str, http: Client) -> PageReader:
    """Reads an entity set by its cursor, in the cursor's order, page by page as the server cuts them.

    A page's token is the next page's address, as much of it as `next` keeps; a relative one is meant from what was
    asked. A cursor of a date and a time can be asked for by whole days only: records at or after the window's end are
    left to the next window.
    """
    named = f"{system.system}.{stream_name}"
    stream, version = system.streams[stream_name], system.odata_version
    at = dotted(stream.records) if stream.records else RECORDS[version]
    split = Splitter(named, stream, at, NEXT[version])
    nested = NestedRecords(named, stream, stream.nested, split) if stream.nested else None
    read_body = nested or split
    headers = {"Accept": "application/json"} | stream.request.headers
    going_on = stream.next.model_copy(update={"kind": "url", "path": ".".join(NEXT[version])})
    first = stream.request.path

    def read(window: Window, token: str | None) -> Iterator[Page]:
        values = placeholders(window, stream)
        given = {name: filled(value, values) for name, value in stream.request.params.items()}
        params = query(stream, window, version) | given
        end = cursor_text(window.end)
        remedy = "Its answers have no link to the next page, as OData's have: ask the service's owner"
        whole = Completeness(named, going_on, at, counts=not stream.nested, remedy=remedy)
        whole.start(at_the_beginning=token is None)

        def parsed(response: Response) -> Body:
            body = read_body(response)
            whole.see(response)
            return body

        def fetch(token: str | None) -> Fetched:
            if token is None:
                whole.start(at_the_beginning=True)
            body = http.send(
                "GET",
                first if token is None else token,
                params=params if token is None else None,
                headers=headers,
                parse=parsed,
                hosts=going_on.hosts,
            )
            whole.count(len(body.records))
            records = [record for record in body.records if record.cursor is None or record.cursor < end]
            if body.next is True:
                raise Fatal(
                    f"{named}: the answer says that there are more pages, but its link to the next one is no text. "
                    "Compare the service's interface with its YAML."
                )
            following = next_address(http, going_on, first, token or first, body.next, named) if body.next else None
            if following is None:
                whole.require_end()
            return Fetched(records, following, mark=following or "")

        return pages(fetch, token, named)

    return nested.emptied(read) if nested else read


def counted(system: System, stream: Stream, window: Window, http: Client) -> int:
    """How many entities the service has in the window, by one request that asks for their number and for none of them.

    OData v2, "URI Conventions", $inlinecount; OData 4.01 Part 2, $count.
    """
    version = system.odata_version
    headers = {"Accept": "application/json"} | stream.request.headers
    asking = {"$inlinecount": "allpages"} if version == 2 else {"$count": "true"}
    if stream.cursor is not None and stream.cursor.kind == "date_and_time":
        window = Window(window.start, window.end - timedelta(microseconds=1))  # a date's bound takes in the whole day
    values = placeholders(window, stream)
    given = {name: filled(value, values) for name, value in stream.request.params.items()}
    options = query(stream, window, version) | given | asking | {"$top": "0"}
    options = {name: value for name, value in options.items() if name not in ("$expand", "$orderby", "$select")}
    return http.send("GET", stream.request.path, params=options, headers=headers, parse=partial(_counted, version))


def _counted(version: int, response: Response) -> int:
    body = msgspec.json.decode(sound_json(response))
    count = body.get("d", {}).get("__count") if version == 2 else body.get("@odata.count")
    number = whole_number(count)
    if number is None or number < 0:
        raise BadBody("an answer that does not tell a number of entities")
    return number


def selecting_keys(stream: Stream) -> Request:
    """The stream's request for its primary key alone: no other property, and no navigation."""
    keys = dict.fromkeys((stream.fields[name].path or name).split(".")[0] for name in stream.primary_key)
    params = stream.request.params | {"$select": ",".join(keys)}
    return stream.request.model_copy(update={"params": params, "expand": []})


def query(stream: Stream, window: Window, version: int) -> dict[str, str]:
    """The system query options for a window: $format, $expand, $filter and $orderby."""
    options = {"$format": "json"}
    if stream.request.expand:
        options["$expand"] = ",".join(stream.request.expand)
    order = list(stream.primary_key)
    if stream.cursor:
        order = list(dict.fromkeys([*stream.cursor.fields, *order]))
        changed = stream.cursor.fields[0]
        bounds = _bounds(stream.cursor.kind, changed, window, version)
        if bounds and stream.cursor.fallback:
            created = _bounds(stream.cursor.kind, stream.cursor.fallback[0], window, version)
            bounds = f"({bounds}) or ({changed} eq null and {created})"
        if bounds:
            options["$filter"] = bounds
    options["$orderby"] = ",".join(f"{name} asc" for name in order)
    return options


def _bounds(kind: str, field: str, window: Window, version: int) -> str | None:
    if kind == "integer":
        return None
    if kind == "date_and_time":
        first, last = f"{window.start:%Y-%m-%d}", f"{window.end:%Y-%m-%d}"
        if version == 2:
            first, last = f"datetime'{first}T00:00:00'", f"datetime'{last}T00:00:00'"
        return f"{field} ge {first} and {field} le {last}"
    start, end = floor_text(window.start), ceiling_text(window.end)
    if version == 2:
        start, end = f"datetime'{start.rstrip('Z')}'", f"datetime'{end.rstrip('Z')}'"
    return f"{field} ge {start} and {field} lt {end}"
