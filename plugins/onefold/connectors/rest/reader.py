"""REST sources that answer JSON: all that is particular to one stands in its YAML."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from onefold.catalog.paging import NextPage
from onefold.catalog.request import Empty, Request
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.nested import Inner
from onefold.connectors.page import Page, PageReader
from onefold.connectors.paging import Fetched, pages
from onefold.connectors.records import Body, Splitter, dotted, value_at
from onefold.connectors.rest.overlap import overlapping
from onefold.connectors.rest.slices import sliced
from onefold.connectors.tombstones import Entries, deleted, followed_by
from onefold.connectors.window import Window
from onefold.connectors.window_text import filled, placeholders
from onefold.errors import Fatal
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client

FIRST = {"offset": 0, "number": 1}
Split = Callable[[Response], Body]


def rest_reader(system: System, stream_name: str, http: Client) -> PageReader:
    """Reads a stream by `request` and `next`, and after it the deletions where `deletes.tombstones` says how."""
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    going_on, flag = where_next(stream.next)
    outer = Splitter(named, stream, dotted(stream.records), going_on, flag=flag)
    split = Inner(named, stream, stream.nested, outer) if stream.nested else outer
    read = asked(named, stream, stream.request, stream.next, split, http)
    if feed := stream.deletes.tombstones:
        entries = asked(named, stream, feed.request, feed.next, Entries(feed), http)
        read = followed_by(read, entries, deleted(stream, feed))
    return sliced(read, stream.request.slices) if stream.request.slices else read


def where_next(following: NextPage) -> tuple[tuple[str, ...] | None, bool]:
    """Where a body says how its page is followed, and whether it says no more than that it is."""
    match following.kind:
        case "url" | "token":
            return dotted(following.path or ""), False
        case "after":
            return dotted(following.more or ""), True
        case _:
            return None, False


def asked(
    named: str, stream: Stream, request: Request, following: NextPage, split_full: Split, http: Client
) -> PageReader:
    """Reads what `request` asks for, page by page.

    A page's token is the next page's address, token, offset or number, or what the last record was named by; where
    pages overlap, the offset with the last records' keys.
    """
    accept = frozenset({request.empty.status}) if request.empty else frozenset()

    def split(response: Response) -> Body:
        return Body([], None) if _says_empty(response, request.empty) else split_full(response)

    def read(window: Window, token: str | None) -> Iterator[Page]:
        values = placeholders(window, stream)
        params = {name: filled(value, values) for name, value in request.params.items()}
        headers = {"Accept": "application/json"} | {k: filled(v, values) for k, v in request.headers.items()}
        content = filled(request.body, values) if request.body else None

        def page(more: dict[str, str]) -> tuple[Body, str]:
            return http.send(
                request.method,
                filled(request.path, values),
                params=params | more,
                headers=headers,
                body=content,
                accept=accept,
                parse=marked,
            )

        def at_address(token: str | None) -> Fetched:
            if token is None:
                body, _ = page({})
            else:
                query = f"{filled(request.path, values)}?{urlsplit(token).query}"
                address = query if following.keep == "query" else token
                body = http.send("GET", address, headers=headers, accept=accept, parse=split)
            return Fetched(body.records, _text(body.next), mark=_text(body.next) or "")

        def at_token(token: str | None) -> Fetched:
            body, _ = page({following.parameter or "": token} if token is not None else {})
            step = _last(named, body, following) if following.kind == "after" else _text(body.next)
            return Fetched(body.records, step, mark=step or "")

        def at_position(token: str | None) -> Fetched:
            position = int(token) if token is not None else FIRST.get(following.kind, 0)
            body, mark = at(position)
            step = len(body.records) if following.kind == "offset" else 1
            last = not following.parameter or not body.records or len(body.records) < (following.size or 1)
            return Fetched(body.records, None if last else str(position + step), mark)

        def at(position: int) -> tuple[Body, str]:
            return page({following.parameter: str(position)} if following.parameter else {})

        fetch: Callable[[str | None], Fetched]
        match following.kind:
            case "url":
                fetch = at_address
            case "token" | "after":
                fetch = at_token
            case _:
                fetch = overlapping(at, following.overlap, named) if following.overlap else at_position
        return pages(fetch, token, named)

    def marked(response: Response) -> tuple[Body, str]:
        return split(response), hashlib.sha256(response.body).hexdigest()

    return read


def _text(following: str | bool | None) -> str | None:
    return following if isinstance(following, str) else None


def _last(named: str, body: Body, following: NextPage) -> str | None:
    """What the page's last record is named by, for the next page to begin after; None when there is no next page."""
    if not body.next:
        return None
    value = value_at(body.records[-1].payload, dotted(following.field or "")) if body.records else None
    if value is None or value == "":
        raise Fatal(
            f"{named}: the source says that there are more pages, but the last record of this one has no "
            f"{following.field} to go on from. Compare `next` in its YAML with the system's interface."
        )
    return str(value)


def _says_empty(response: Response, empty: Empty | None) -> bool:
    """Whether this is the error that means: nothing there. Raises BadBody for another body with its status."""
    if empty is None or response.status != empty.status:
        return False
    if empty.text.encode() not in response.body:
        raise BadBody(f"status {empty.status} without {empty.text!r}, which would mean that there is nothing")
    return True
