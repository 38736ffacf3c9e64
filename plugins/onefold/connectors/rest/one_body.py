"""Streams that one answer holds, however large: its records go to disk while it is read, and are given from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice

import msgspec

from onefold.connectors.completeness import Completeness
from onefold.connectors.page import Page, PageReader
from onefold.connectors.record import Record
from onefold.connectors.rest.formats import Formatted, Written
from onefold.connectors.rest.listing import NO_CONTENT, Asks, says_empty
from onefold.connectors.rest.question import Question
from onefold.connectors.window import Window
from onefold.http.attempt import Response
from onefold.http.spool import Spool

PAGE = 2000
AGAIN = "again"
"""The token between two pages of one answer: after a crash it is asked for again and read from its start (a load takes
a record once)."""


def one_body(asks: Asks, formatted: Formatted, made: Callable[[list[Record]], list[Record]]) -> PageReader:
    """Reads what `asks.request` asks for, in one answer; `made` has the last word on its records."""

    def read(window: Window, token: str | None) -> Iterator[Page]:
        at = datetime.now(UTC)
        with closing(_fetched(asks, formatted, window)) as lines:
            payloads = (line[:-1] for line in lines)
            following: list[bytes] | None = list(islice(payloads, PAGE))
            while following is not None:
                page, following = following, list(islice(payloads, PAGE)) or None
                yield Page(made(formatted.records(page)), at, AGAIN if following else None)

    return read


def _fetched(asks: Asks, formatted: Formatted, window: Window) -> Spool:
    request = asks.request
    asked = Question(asks.named, asks.stream, request, asks.following, window).page({})
    whole = Completeness(asks.named, asks.following, counts=True)

    def written(response: Response) -> Written:
        whole.start(at_the_beginning=True)
        if response.status == NO_CONTENT or says_empty(response, request.empty):
            return Written(Spool(), 0, {})
        found = formatted.written(response)
        whole.see(Response(response.status, response.headers, msgspec.json.encode(found.beside)))
        whole.count(found.count)
        whole.require_end()
        return found

    return asks.http.send(
        asked.method,
        asked.path,
        params=asked.params,
        headers=asked.headers,
        body=asked.body,
        accept=frozenset({request.empty.status}) if request.empty else frozenset(),
        shown=asks.shown,
        parse=written,
    ).lines
