"""The rows of one answer: written down unseen while it is read, and given as pages when its end has been reached.

So the size of an answer costs disk, not memory, and a broken one leads to another request, never to half a load.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from types import GenericAlias

import msgspec

from onefold.catalog.stream import Stream
from onefold.connectors.json_lines import json_lines
from onefold.connectors.record import Record
from onefold.connectors.records import Head
from onefold.http.spool import Spool

PAGE = 2000
AT_ONCE = 100
AGAIN = "again"
"""The token between two pages of one answer, which cannot be asked for from its middle: after a crash it is asked for
again and read from its start (a load takes a record once)."""


class RowsOnDisk:
    """Of one stream; `named` is how messages call it."""

    def __init__(self, named: str, stream: Stream) -> None:
        self._head = Head(named, stream)
        self._heads = msgspec.json.Decoder(GenericAlias(list, (self._head.shape,)))

    @staticmethod
    def written_down(rows: Iterator[Mapping[str, object]]) -> Spool:
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
            yield self.records(page), following is None

    def records(self, payloads: list[bytes]) -> list[Record]:
        """The records of these lines. One pass decodes all heads at once; where one cannot be, that record suffers
        alone."""
        try:
            found = self._heads.decode(b"[" + b",".join(payloads) + b"]")
        except (msgspec.DecodeError, RecursionError):
            found = []
        if len(found) != len(payloads):  # a line of a source's own may hold several
            return list(map(self._head.record, payloads))
        return list(map(self._head.of, found, payloads))
