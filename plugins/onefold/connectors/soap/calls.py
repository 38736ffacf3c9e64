"""Streams that one SOAP call answers, or several page by page: an argument says which page, the answer whether there is
more. A page's token is that of its call: after a crash that call is made again and read from its start.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from onefold.catalog.paging import COUNTED
from onefold.catalog.stream import Stream
from onefold.connectors import safe_xml
from onefold.connectors.completeness import PAGES, Completeness
from onefold.connectors.counted import Counting
from onefold.connectors.page import Page, PageReader
from onefold.connectors.paging import SAME_PAGE, Fetched, in_a_circle, log
from onefold.connectors.records import dotted
from onefold.connectors.rows_on_disk import AGAIN, RowsOnDisk
from onefold.connectors.safe_xml import Row, Value
from onefold.connectors.soap.arguments import Texts, nested
from onefold.connectors.soap.envelope import CallRefused
from onefold.connectors.soap.service import SoapService
from onefold.connectors.window import Window
from onefold.errors import Fatal
from onefold.http.spool import Spool

ONE_CALL = "One call reads it: ask for all of it in request.params, or say under `next` how its calls go on"
AT = "at:"
"""Begins the token of a page after which a further call goes on."""


def calls_reader(named: str, stream: Stream, service: SoapService, arguments: Callable[[Window], Texts]) -> PageReader:
    """Reads the stream call by call, to an end that is proven: no token, an empty page, the total or the end mark that
    `next` names, and no other sign of more."""
    on_disk = RowsOnDisk(named, stream)
    return lambda window, token: _Calls(named, stream, service, arguments(window), on_disk).pages(token)


@dataclass(frozen=True, slots=True)
class _Answer:
    """The rows of one call, how many they are, what stands beside them, the last one, and, where only that tells one
    answer from another, a mark."""

    lines: Spool
    rows: int
    beside: Mapping[str, str]
    last: Row
    mark: str


class _Calls:
    """The calls of one window."""

    def __init__(self, named: str, stream: Stream, service: SoapService, arguments: Texts, on_disk: RowsOnDisk) -> None:
        self._named = named
        self._stream = stream
        self._next = stream.next
        self._service = service
        self._arguments = arguments
        self._on_disk = on_disk
        self._counting = Counting(stream.next)
        remedy = ONE_CALL if stream.next.kind == "none" else PAGES
        self._whole = Completeness(named, stream.next, counts=True, remedy=remedy)
        following = stream.next
        named_there = (following.path, following.total, following.pages, following.more, following.last)
        self._elements = frozenset(name for name in named_there if name)

    def pages(self, token: str | None) -> Iterator[Page]:
        asked = token.removeprefix(AT) if token is not None and token.startswith(AT) else None
        resuming = asked is not None
        self._start(asked)
        seen: Counter[str] = Counter()
        while True:
            at = datetime.now(UTC)
            try:
                answer = self._call(asked)
            except CallRefused:
                if not resuming:
                    raise
                log.warning("%s: the page to go on from is no longer there; the window starts anew", self._named)
                asked, resuming = None, False
                self._start(asked)
                continue
            resuming = False
            with closing(answer.lines):
                following = self._following(asked, answer)
                mark = answer.mark if self._next.kind in COUNTED else following or ""
                seen[mark] += 1
                if seen[mark] > SAME_PAGE and following is not None:
                    raise in_a_circle(self._named, seen[mark])
                again = AGAIN if asked is None else AT + asked
                after = None if following is None else AT + following
                for records, is_last in self._on_disk.pages(answer.lines):
                    yield Page(records, at, after if is_last else again)
            if following is None:
                return
            asked = following

    def _start(self, asked: str | None) -> None:
        self._whole.start(at_the_beginning=asked is None)
        if asked is not None and self._next.kind in COUNTED:
            self._whole.go_on(*self._counting.before(self._counting.place(asked)))

    def _call(self, asked: str | None) -> _Answer:
        if self._next.kind not in COUNTED:
            return self._answer({} if asked is None else {self._next.parameter or "": asked}, self._next.size)
        place = self._counting.place(asked)
        position = {self._next.parameter or "": str(place.position)}
        stated = self._counting.as_in_yaml(place)
        try:
            return self._answer(position, place.size)
        except CallRefused as error:
            if place.position == self._counting.first:
                raise
            if stated is None:
                raise CallRefused(
                    f"{error} If it says so of a page behind its last one, name `total`, `pages`, `more` or `last` "
                    f"under next in the YAML of {self._named}."
                ) from error
        return self._answer(position, stated.size)

    def _answer(self, position: Texts, size: int | None) -> _Answer:
        texts = {**self._arguments, **position}
        if self._next.size_parameter and size:
            texts[self._next.size_parameter] = str(size)
        request = self._stream.request
        return self._service.call(request.operation or "", nested(self._named, texts), self._read, request.headers)

    def _read(self, envelope: BinaryIO) -> _Answer:
        beside: dict[str, str] = {}
        digest = hashlib.sha256()
        last: Row = {}
        count = 0

        def counted() -> Iterator[Row]:
            nonlocal last, count
            for row in safe_xml.rows(envelope, self._stream.records, beside, self._elements):
                last, count = row, count + 1
                yield row

        lines = self._on_disk.written_down(counted())
        try:
            for line in lines if self._next.kind in COUNTED else ():
                digest.update(line)
            self._whole.note(beside)
        except BaseException:
            lines.close()
            raise
        return _Answer(lines.rewound(), count, beside, last, digest.hexdigest())

    def _following(self, asked: str | None, answer: _Answer) -> str | None:
        self._whole.note(answer.beside)
        if asked is None and self._next.kind in COUNTED:
            self._whole.require_beginning()
        return self._whole.following(asked, Fetched([], self._found(asked, answer), answer.mark, answer.rows))

    def _found(self, asked: str | None, answer: _Answer) -> str | None:
        """What the answer says of the next page, before it is judged whether there is one."""
        match self._next.kind:
            case "token":
                return answer.beside.get(self._next.path or "") or None
            case "after":
                return self._after(answer)
            case "none":
                return None
            case _:
                return self._counting.following(self._counting.place(asked), answer.rows)

    def _after(self, answer: _Answer) -> str | None:
        more = self._whole.says_more(answer.rows)
        if more is False or (more is None and not answer.rows):
            return None
        value: Value = answer.last
        for name in dotted(self._next.field or ""):
            value = value.get(name) if isinstance(value, dict) else None
        if not isinstance(value, str) or not value:
            raise Fatal(
                f"{self._named}: there may be more pages, but the last record of this one has no {self._next.field} to "
                "go on from. Compare `next` in its YAML with the service's WSDL."
            )
        return value
