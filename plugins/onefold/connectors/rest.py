"""REST sources that answer JSON: all that is particular to one stands in its YAML."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from onefold.catalog.system import System
from onefold.connectors.page import Page, PageReader, Window
from onefold.connectors.paging import Fetched, pages
from onefold.connectors.records import Body, Splitter, dotted
from onefold.connectors.window_text import filled, placeholders
from onefold.http.attempt import Response
from onefold.http.client import Client

FIRST = {"offset": 0, "number": 1}


def rest_reader(system: System, stream_name: str, http: Client) -> PageReader:
    """Reads a stream by `request` and `next`. A page's token is the next page's address, offset or number."""
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    request, following = stream.request, stream.next
    by_address = following.kind == "url"
    split = Splitter(named, stream, dotted(stream.records), dotted(following.path or "") if by_address else None)

    def read(window: Window, token: str | None) -> Iterator[Page]:
        values = placeholders(window, stream)
        params = {name: filled(value, values) for name, value in request.params.items()}
        headers = {"Accept": "application/json"} | {k: filled(v, values) for k, v in request.headers.items()}
        content = filled(request.body, values) if request.body else None

        def at_address(token: str | None) -> Fetched:
            body = http.send(
                request.method if token is None else "GET",
                filled(request.path, values) if token is None else token,
                params=params if token is None else None,
                headers=headers,
                body=content if token is None else None,
                parse=split,
            )
            return Fetched(body.records, body.next, mark=body.next or "")

        def at_position(token: str | None) -> Fetched:
            position = int(token) if token is not None else FIRST.get(following.kind, 0)
            place = {following.parameter: str(position)} if following.parameter else {}
            body, mark = http.send(
                request.method,
                filled(request.path, values),
                params=params | place,
                headers=headers,
                body=content,
                parse=marked,
            )
            step = len(body.records) if following.kind == "offset" else 1
            last = not place or not body.records or len(body.records) < (following.size or 1)
            return Fetched(body.records, None if last else str(position + step), mark)

        def marked(response: Response) -> tuple[Body, str]:
            return split(response), hashlib.sha256(response.body).hexdigest()

        return pages(at_address if by_address else at_position, token, named)

    return read
