"""The rows of one answer: written down unseen while it is read, and given as pages when its end has been reached."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from types import GenericAlias

import msgspec

from onefold.catalog.stream import Stream
from onefold.connectors.json_lines import json_lines
from onefold.connectors.record import Record
from onefold.connectors.records import Head
from onefold.connectors.safe_xml import Row
from onefold.http.spool import Spool

PAGE = 2000
AT_ONCE = 100


class RowsOnDisk:
    """Of one stream; `named` is how messages call it."""

    def __init__(self, named: str, stream: Stream) -> None:
        self._head = Head(named, stream)
        self._heads = msgspec.json.Decoder(GenericAlias(list, (self._head.shape,)))

    @staticmethod
    def written_down(rows: Iterator[Row]) -> Spool:
        """All of them, as lines of JSON."""
        lines = Spool()
        while some := list(islice(rows, AT_ONCE)):
            lines.write(json_lines(some))
        return lines.rewound()

    def pages(self, lines: Spool) -> Iterator[tuple[list[Record], bool]]:
        """Their records page by page, at least one page, and whether it is the last."""
        payloads = (line[:-1] for line in lines)
        following: list[bytes] | None = list(islice(payloads, PAGE))
        while following is not None:
            page, following = following, list(islice(payloads, PAGE)) or None
            yield self._records(page), following is None

    def _records(self, payloads: list[bytes]) -> list[Record]:
        try:
            found = self._heads.decode(b"[" + b",".join(payloads) + b"]")
        except (msgspec.DecodeError, RecursionError):  # some head is no scalar: only that record must suffer
            return [self._head.record(payload) for payload in payloads]
        return list(map(self._head.of, found, payloads))
