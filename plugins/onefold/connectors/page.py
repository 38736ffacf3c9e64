"""What reading a stream gives: one page after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from onefold.connectors.lag import Lag
from onefold.connectors.lookup import LookupResult
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record
from onefold.connectors.source_slot import SourceSlot
from onefold.connectors.window import Window


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `token` is what the connector needs to go on after this page; None after the last one. `ended` are the
    partitions of the stream whose last records are on it. `lag`: how far the stream is behind its source's log,
    where the reader has just looked. `slot`: what the source keeps its log for, before it is made and with each load.
    `read_until`: on the last page of a load that does not read all of its window, up
    to when it has."""

    records: list[Record]
    extracted_at: datetime
    token: str | None
    lookup_results: tuple[LookupResult, ...] = ()
    ended: tuple[Partition, ...] = ()
    lag: Lag | None = None
    slot: SourceSlot | None = None
    read_until: datetime | None = None


PageReader = Callable[[Window, str | None], Iterator[Page]]
"""Reads the pages of a window; the second argument is the token to go on from, None from the start.

To be asked for the next page means that the one before was sent to the warehouse, not that its load is published: a
source that wants to hear that a record has arrived is told so after the publish, by Connector.acknowledge.
"""
