"""One window's listing over REST: from page to page, to an end that is proven."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import msgspec

from onefold.catalog.paging import COUNTED, NextPage
from onefold.catalog.request import Empty, Request
from onefold.catalog.stream import Stream
from onefold.connectors.completeness import Completeness
from onefold.connectors.counted import Counting, Place
from onefold.connectors.json_shape import Path
from onefold.connectors.page import Page
from onefold.connectors.paging import Fetched, next_address, pages
from onefold.connectors.raw_json import raw_at
from onefold.connectors.records import Body, dotted
from onefold.connectors.rest.answers import Answers
from onefold.connectors.rest.overlap import overlapping
from onefold.connectors.rest.question import Asked, Question, Value
from onefold.connectors.signs import linked
from onefold.connectors.window import Window
from onefold.errors import Fatal
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client
from onefold.http.failure import Refused

NO_CONTENT = 204
NO_SUCH_PAGE = frozenset({400, 404, 416, 422})
Split = Callable[[Response], Body]


@dataclass(frozen=True)
class Asks:
    """What is the same for every window: see asked() in reader.py."""

    named: str
    stream: Stream
    request: Request
    following: NextPage
    split: Split
    http: Client
    answers: Answers
    list_at: Path
    shown: str | None


@dataclass(frozen=True, slots=True)
class _Answer:
    """A page, a mark that tells pages apart, and the next page's address or token where its content does not say."""

    body: Body
    mark: str = ""
    following: str | None = None


class Listing:
    """One window's listing."""

    def __init__(self, asks: Asks, window: Window) -> None:
        self._asks = asks
        self._next = asks.following
        self._question = Question(asks.named, asks.stream, asks.request, asks.following, window)
        self._accept = frozenset({asks.request.empty.status}) if asks.request.empty else frozenset()
        self._whole = Completeness(asks.named, asks.following, asks.list_at, counts=True)
        self._counting = Counting(asks.following)
        self._before: frozenset[str] = frozenset()
        self._token_at = dotted(self._next.path or "") if self._next.place == "body" else ()

    def pages(self, token: str | None) -> Iterator[Page]:
        """Every page from the token on, to an end that is proven."""
        fetch: Callable[[str | None], Fetched]
        match self._next.kind:
            case "url" | "link":
                fetch = self._at_address
            case "token":
                fetch = self._at_token
            case "after":
                fetch = self._after
            case _ if self._next.overlap:
                fetch = overlapping(self._at, self._counting.first, self._next.overlap, self._asks.named)
            case _:
                fetch = self._at_position

        def to_the_end(token: str | None) -> Fetched:
            if token is None:
                self._whole.start(at_the_beginning=True)
                self._before = frozenset()
            fetched = fetch(token)
            if token is None and self._next.kind in COUNTED:
                self._whole.require_beginning()
            return replace(fetched, token=self._whole.following(token, fetched))

        if token is not None:
            self._whole.start(at_the_beginning=False)
        if token is not None and self._next.kind in COUNTED and not self._next.overlap:
            self._whole.go_on(*self._counting.before(self._counting.place(token)))
        return pages(to_the_end, token, self._asks.named)

    def _at_address(self, token: str | None) -> Fetched:
        answer = self._page({}) if token is None else self._send(self._question.at(token))
        address = answer.following or _text(answer.body.next)
        if not address:
            return self._fetched(answer, None)
        first, http, named = self._question.path, self._asks.http, self._asks.named
        return self._fetched(answer, next_address(http, self._next, first, token or first, address, named))

    def _at_token(self, token: str | None) -> Fetched:
        answer = self._page(self._carried(token))
        return self._fetched(answer, answer.following or _text(answer.body.next))

    def _after(self, token: str | None) -> Fetched:
        answer = self._page(self._carried(token))
        return self._fetched(answer, self._last(answer.body))

    def _carried(self, token: str | None) -> Mapping[str, Value]:
        """What carries a token in the request: in a body it is JSON, and of the type that it came with."""
        if token is None:
            return {}
        return {self._next.parameter or "": msgspec.Raw(token.encode()) if self._next.place == "body" else token}

    def _last(self, body: Body) -> str | None:
        """What the page's last record is named by, for the next page to begin after; None when there is no next."""
        more = self._whole.says_more(len(body.listed))
        if more is False or (more is None and not body.listed):
            return None
        last = body.listed[-1].payload if body.listed else b"{}"
        found = raw_at(last, dotted(self._next.field or ""))
        if found is None or found == b'""' or (self._next.place != "body" and found[:1] in (b"{", b"[")):
            raise Fatal(
                f"{self._asks.named}: the source says that there are more pages, but the last record of this one has "
                f"no {self._next.field} to go on from. Compare `next` in its YAML with the system's interface."
            )
        return found.decode() if self._next.place == "body" else _plain(found)

    def _at_position(self, token: str | None) -> Fetched:
        place = self._counting.place(token)
        answer = self._counted(place)
        keys = [record.key for record in answer.body.listed]
        following = self._counting.following(place, len(keys)) if self._next.parameter else None
        repeated = sum(key in self._before for key in keys)
        self._before = frozenset(key for key in keys if key is not None)
        return replace(self._fetched(answer, following, answer.mark), repeated=repeated)

    def _counted(self, place: Place) -> _Answer:
        try:
            return self._page(self._values(place))
        except Refused as error:
            stated = self._counting.as_in_yaml(place)
            if error.status not in NO_SUCH_PAGE or place.position == self._counting.first:
                raise
            if stated is None:
                raise Refused(
                    f"{error} If it says so of a page behind its last one, name `total`, `pages`, `more` or `last` "
                    f"under next in the YAML of {self._asks.named}, or that answer under request.empty (status, text).",
                    error.status,
                ) from error
            return self._counted(stated)

    def _values(self, place: Place) -> Mapping[str, Value]:
        values: dict[str, Value] = {self._next.parameter: place.position} if self._next.parameter else {}
        if self._next.size_parameter and place.size:
            values[self._next.size_parameter] = place.size
        return values

    def _at(self, position: int) -> tuple[Body, str]:
        answer = self._page(self._values(Place(position, self._next.size)))
        return answer.body, answer.mark

    def _fetched(self, answer: _Answer, following: str | None, mark: str | None = None) -> Fetched:
        within = None if answer.body.outer is None else len(answer.body.outer)
        return Fetched(answer.body.records, following, following or "" if mark is None else mark, within)

    def _page(self, values: Mapping[str, Value]) -> _Answer:
        return self._send(self._question.page(values))

    def _send(self, asked: Asked) -> _Answer:
        return self._asks.http.send(
            asked.method,
            asked.path,
            params=asked.params,
            headers=asked.headers,
            body=asked.body,
            accept=self._accept,
            shown=self._asks.shown,
            parse=self._parsed,
            hosts=self._next.hosts,
        )

    def _parsed(self, response: Response) -> _Answer:
        answers = self._asks.answers
        empty = response.status == NO_CONTENT or says_empty(response, self._asks.request.empty)
        sound = None if empty else answers.sound(response)
        if sound is None:
            self._whole.see(None)
            return _Answer(Body([], None))
        body = self._asks.split(sound)
        self._whole.see(answers.around(sound, body))
        return _Answer(body, hashlib.sha256(response.body).hexdigest(), self._beside(sound))

    def _beside(self, response: Response) -> str | None:
        """The next page's address or token in a header, or as the JSON that a body will carry."""
        if self._next.kind == "link":
            return linked(response.headers)
        if self._next.header:
            return response.headers.get(self._next.header) or None
        if self._next.kind == "token" and self._token_at:
            found = raw_at(response.body, self._token_at)
            return found.decode() if found and found not in NO_TOKEN else None
        return None


NO_TOKEN = frozenset({b'""', b"false", b"0", b"[]", b"{}"})


def _text(following: str | bool | None) -> str | None:
    return following if isinstance(following, str) else None


def _plain(found: bytes) -> str:
    value = msgspec.json.decode(found)
    return value if isinstance(value, str) else found.decode()


def says_empty(response: Response, empty: Empty | None) -> bool:
    """Whether this is the error that means: nothing there. Raises BadBody for another body with its status."""
    if empty is None or response.status != empty.status:
        return False
    if empty.text.encode() not in response.body:
        raise BadBody(f"status {empty.status} without {empty.text!r}, which would mean that there is nothing")
    return True
