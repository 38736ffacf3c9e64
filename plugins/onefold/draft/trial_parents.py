"""A stream with a parent, as it is asked for below one of its parents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.connectors.records import Head
from onefold.connectors.rest.fill import UnfitValue, Values, with_values
from onefold.connectors.rest.parents import Picking


@dataclass(frozen=True, slots=True)
class BelowOne:
    """The system with the stream's request filled in for one parent, whose values its records are to get."""

    system: System
    stream: Stream
    named: str
    values: Values

    def complete(self, page: Page) -> Page:
        """The page with the parent's values in its records, and their keys with them."""
        head = Head(self.named, self.stream)
        return replace(page, records=[head.record(self._payload(record)) for record in page.records])

    def _payload(self, record: Record) -> bytes:
        try:
            content = json.loads(record.payload)
        except (ValueError, RecursionError):
            return record.payload
        if not isinstance(content, dict):
            return record.payload
        return msgspec.json.encode({**self.values, **msgspec.json.decode(record.payload, type=dict[str, msgspec.Raw])})


def of_each_parent(system: System, stream_name: str, parents: Sequence[Record]) -> Iterator[BelowOne]:
    """The stream below each of these parents whose values can be filled in."""
    stream = system.streams[stream_name]
    if stream.parent is None:
        return
    picking = Picking.of_parent(stream.parent, system.streams[stream.parent.stream])
    for record in parents:
        values = picking.values(record.payload)
        if values is None:
            continue
        try:
            request = with_values(stream.request, values)
        except UnfitValue:
            continue
        alone = stream.model_copy(update={"request": request, "parent": None})
        below = system.model_copy(update={"streams": {**system.streams, stream_name: alone}})
        yield BelowOne(below, stream, f"{system.system}.{stream_name}", values)
