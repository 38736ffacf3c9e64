"""Streams that one answer holds, however large: its records go to disk while it is read, and are given from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime

import msgspec

from onefold.connectors.completeness import Completeness
from onefold.connectors.page import Page, PageReader
from onefold.connectors.record import Record
from onefold.connectors.rest.formats import Formatted, Written
from onefold.connectors.rest.listing import NO_CONTENT, Asks, says_empty
from onefold.connectors.rest.question import Question
from onefold.connectors.rows_on_disk import AGAIN
from onefold.connectors.window import Window
from onefold.http.attempt import Response
from onefold.http.spool import Spool


def one_body(asks: Asks, formatted: Formatted, made: Callable[[list[Record]], list[Record]]) -> PageReader:
    """Reads what `asks.request` asks for, in one answer; `made` has the last word on its records."""

    def read(window: Window, token: str | None) -> Iterator[Page]:
        at = datetime.now(UTC)
        with closing(_fetched(asks, formatted, window)) as lines:
            for records, is_last in formatted.on_disk.pages(lines):
                yield Page(made(records), at, None if is_last else AGAIN)

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
