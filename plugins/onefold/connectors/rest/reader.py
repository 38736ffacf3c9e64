"""REST sources that answer JSON: all that is particular to one stands in its YAML."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from onefold.catalog.paging import NextPage
from onefold.catalog.request import Empty, Request
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.answer_shape import AnswerShape
from onefold.connectors.completeness import Completeness
from onefold.connectors.json_shape import Path
from onefold.connectors.nested import NestedRecords
from onefold.connectors.page import Page, PageReader
from onefold.connectors.paging import Fetched, pages
from onefold.connectors.records import Body, Splitter, dotted, value_at
from onefold.connectors.rest.answers import Answers
from onefold.connectors.rest.children import children_reader
from onefold.connectors.rest.fill import Into, Values
from onefold.connectors.rest.overlap import overlapping
from onefold.connectors.rest.slices import sliced
from onefold.connectors.signs import linked
from onefold.connectors.tombstones import Entries, deleted, followed_by
from onefold.connectors.window import Window
from onefold.connectors.window_text import filled, placeholders
from onefold.errors import Fatal
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client
from onefold.http.wire import joined

FIRST = {"offset": 0, "number": 1}
NO_CONTENT = 204
Split = Callable[[Response], Body]


def rest_reader(system: System, stream_name: str, http: Client) -> PageReader:
    """Reads a stream by `request` and `next`, and after it the deletions where `deletes.tombstones` says how."""
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    going_on, flag = where_next(stream.next)
    at, answers = dotted(stream.records), Answers(named, system, stream)
    outer = Splitter(named, stream, at, going_on, flag=flag, otherwise=AnswerShape(at, stream.answer))
    within = NestedRecords(named, stream, stream.nested, outer) if stream.nested else None
    slices = stream.request.slices
    into = Into(named, stream)

    def listing(request: Request, values: Values) -> PageReader:
        split = into.split(within or outer, values) if values else within or outer
        counts, shown = not stream.nested, stream.request.path if values else None
        read = asked(named, stream, request, stream.next, split, http, answers, at, counts=counts, shown=shown)
        return sliced(read, slices) if slices and values else read

    if stream.parent:
        read = children_reader(system, stream_name, rest_reader(system, stream.parent.stream, http), listing)
    else:
        read = listing(stream.request, {})
        read = within.somewhere(read) if within else read
    if feed := stream.deletes.tombstones:
        entries = asked(named, stream, feed.request, feed.next, Entries(feed), http, answers)
        read = followed_by(read, entries, deleted(stream, feed))
    return sliced(read, slices) if slices and not stream.parent else read


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
    named: str,
    stream: Stream,
    request: Request,
    following: NextPage,
    split_full: Split,
    http: Client,
    answers: Answers,
    list_at: Path = (),
    *,
    counts: bool = False,
    shown: str | None = None,
) -> PageReader:
    """Reads what `request` asks for, page by page, to an end that is proven: an empty page, the total that the answer
    names, or an answer without any sign of another page. `list_at` is where its list stands in the body;
    `counts` says that each record listed is one that is read; `shown` is written down in place of a path that holds
    values of records.

    A page's token is the next page's address, token, offset or number, or what the last record was named by; where
    pages overlap, the offset with the last records' keys.
    """
    asks = _Asks(named, stream, request, following, split_full, http, answers, list_at, counts, shown)
    return lambda window, token: _Listing(asks, window).pages(token)


@dataclass(frozen=True)
class _Asks:
    """What is the same for every window: see asked()."""

    named: str
    stream: Stream
    request: Request
    following: NextPage
    split: Split
    http: Client
    answers: Answers
    list_at: Path
    counts: bool
    shown: str | None


@dataclass(frozen=True, slots=True)
class _Answer:
    """A page, a mark that tells pages apart, and the address of the next one in the header Link."""

    body: Body
    mark: str = ""
    link: str | None = None


class _Listing:
    """One window's listing."""

    def __init__(self, asks: _Asks, window: Window) -> None:
        request, values = asks.request, placeholders(window, asks.stream)
        self._asks = asks
        self._next = asks.following
        self._path = filled(request.path, values)
        self._params = {name: filled(value, values) for name, value in request.params.items()}
        self._headers = {"Accept": "application/json"} | {k: filled(v, values) for k, v in request.headers.items()}
        self._content = filled(request.body, values) if request.body else None
        self._accept = frozenset({request.empty.status}) if request.empty else frozenset()
        self._whole = Completeness(asks.named, asks.following, asks.list_at, counts=asks.counts)

    def pages(self, token: str | None) -> Iterator[Page]:
        """Every page from the token on, to an end that is proven."""
        fetch: Callable[[str | None], Fetched]
        match self._next.kind:
            case "url" | "link":
                fetch = self._at_address
            case "token" | "after":
                fetch = self._at_token
            case _ if self._next.overlap:
                fetch = overlapping(self._at, self._next.overlap, self._asks.named)
            case _:
                fetch = self._at_position

        def to_the_end(token: str | None) -> Fetched:
            if token is None:
                self._whole.start(at_the_beginning=True)
            fetched = fetch(token)
            if not fetched.records and fetched.token == token:
                fetched = replace(fetched, token=None)  # an empty page that leads to itself: nothing comes after it
            if token is None and self._next.kind in FIRST:
                self._whole.require_beginning()
            self._whole.count(len(fetched.records))
            if self._next.kind in FIRST and self._whole.all_read():
                fetched = replace(fetched, token=None)  # the page after it would be empty
            if fetched.token is None:
                self._whole.require_end()
            return fetched

        self._whole.start(at_the_beginning=token is None)
        return pages(to_the_end, token, self._asks.named)

    def _at_address(self, token: str | None) -> Fetched:
        answer = self._page({}) if token is None else self._send("GET", token)
        address = answer.link if self._next.kind == "link" else _text(answer.body.next)
        step = (
            joined(token or self._path, address, self._asks.named) if address else None
        )  # it may be relative to the page's own
        if step and self._next.keep == "query":
            step = f"{self._path}?{step.partition('#')[0].partition('?')[2]}"
        return Fetched(answer.body.records, step, mark=step or "")

    def _at_token(self, token: str | None) -> Fetched:
        body = self._page({self._next.parameter or "": token} if token is not None else {}).body
        step = _last(self._asks.named, body, self._next) if self._next.kind == "after" else _text(body.next)
        return Fetched(body.records, step, mark=step or "")

    def _at_position(self, token: str | None) -> Fetched:
        first = FIRST.get(self._next.kind, 0) if self._next.first is None else self._next.first
        position = first if token is None else int(token)
        body, mark = self._at(position)
        step = len(body.records) if self._next.kind == "offset" else 1
        last = not self._next.parameter or not body.records
        return Fetched(body.records, None if last else str(position + step), mark)

    def _at(self, position: int) -> tuple[Body, str]:
        answer = self._page({self._next.parameter: str(position)} if self._next.parameter else {})
        return answer.body, answer.mark

    def _page(self, more: dict[str, str]) -> _Answer:
        return self._send(self._asks.request.method, self._path, self._params | more, self._content)

    def _send(
        self, method: str, path: str, params: dict[str, str] | None = None, content: str | None = None
    ) -> _Answer:
        return self._asks.http.send(
            method,
            path,
            params=params,
            headers=self._headers,
            body=content,
            accept=self._accept,
            shown=self._asks.shown,
            parse=self._parsed,
        )

    def _parsed(self, response: Response) -> _Answer:
        answers = self._asks.answers
        empty = response.status == NO_CONTENT or _says_empty(response, self._asks.request.empty)
        sound = None if empty else answers.sound(response)
        if sound is None:
            self._whole.see(None)
            return _Answer(Body([], None))
        body = self._asks.split(sound)
        self._whole.see(answers.around(sound, body))
        link = linked(response.headers) if self._next.kind == "link" else None
        return _Answer(body, hashlib.sha256(response.body).hexdigest(), link)


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
