"""Reads a stream from its table's log: first the table as it is, then what changes.

A load of a stream of which nothing is published reads the table as a snapshot shows it, and then the log from the
snapshot's position up to the end that it had after that. Each further load reads the log from the published position to
the end that it had when the load began; less where there are more changes than a load reads (CHANGES): the next one
goes on.

A load that died goes on after its last page. The snapshot died with it: the rest of the table is read as it is by then,
and the log after it brings every row to the same state.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime

import msgspec

from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.cdc.change import Change, Reached
from onefold.connectors.cdc.snapshot import snapshot_pages
from onefold.connectors.emptied import Emptied
from onefold.connectors.lag import Lag
from onefold.connectors.page import Page
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record
from onefold.connectors.source_slot import SourceSlot
from onefold.connectors.sql.database import Database, SnapshotLost
from onefold.connectors.window import Window
from onefold.errors import Retriable

ROWS = 10_000
"""Records of a page where the YAML's next.size does not say."""
BYTES = 16 << 20
"""Of a page's records; one more record is taken beyond that."""
CHANGES = 1_000_000
"""What a load reads of the log at most, to the end of the transaction in which it reaches that."""
BEGUN = "begun"
"""The token of a load that is about to make what the source keeps its log for: what is there of that is its own."""
_DONE = "done"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a load stands: `held` is the checkpoint that it began with, `row` the snapshot's token of the next rows,
    `change` the cursor of the last change that was read (both None: the log from its beginning). `end` is where the
    load ends in the log and `end_at` when that was the log's end, by the source's clock; `since` is when the reading of
    the whole table began."""

    held: str
    row: str | None = None
    change: str | None = None
    end: str | None = None
    end_at: datetime | None = None
    since: datetime | None = None

    def token(self) -> str:
        return msgspec.json.encode(astuple(self)).decode()

    @classmethod
    def of(cls, token: str) -> Place:
        held, row, change, end, *times = msgspec.json.decode(token)
        end_at, since = (datetime.fromisoformat(each) if each else None for each in times)
        return cls(held, row, change, end, end_at, since)


@dataclass(frozen=True, slots=True)
class LogEnd:
    """The source's log at one look: where it ends, when that was by the source's clock, and how far the stream is
    behind."""

    position: str
    at: datetime
    lag: Lag


class LogReader(ABC):
    """Reads the rows and the log of one stream's table."""

    def __init__(self, system: System, stream_name: str, database: Database) -> None:
        self._system = system
        self._stream_name = stream_name
        self._stream: Stream = system.streams[stream_name]
        self._named = f"{system.system}.{stream_name}"
        self._source = database
        self._slot: SourceSlot | None = None
        self._size = self._stream.next.size or ROWS

    @abstractmethod
    def _begin(self, *, anew: bool) -> Iterator[Page]:
        """The pages of the first load: once its place is known, an empty one, then the snapshot's rows, then the log
        after them. `anew`: something was published before."""

    @abstractmethod
    def _look(self, place: Place) -> LogEnd:
        """See that the log has all that follows the place. Raises Fatal when it has not."""

    @abstractmethod
    def _stamp(self, place: Place) -> str:
        """The cursor of the snapshot's rows: before that of every change that follows them."""

    @abstractmethod
    def _log(self, place: Place) -> Iterator[Change | Reached]:
        """The log's changes after the place, up to the place's end or where the load has read enough."""

    def read(self, window: Window, token: str | None) -> Iterator[Page]:
        """The pages of the load; the window's times say nothing here."""
        try:
            if window.compares:
                yield from self._listing()
            elif token == BEGUN:
                yield from self._begin(anew=True)
            elif token is not None:
                yield from self._go_on(Place.of(token))
            elif held := window.checkpoints.get(""):
                yield from self._follow(Place(held))
            else:
                yield from self._begin(anew=window.anew)
        except SnapshotLost:
            raise Retriable(
                f"{self._named}: the connection to the source was lost while its rows or its log were read. What has "
                "landed stays; the next attempt goes on after it."
            ) from None

    def _listing(self) -> Iterator[Page]:
        """The table's rows as they are now. The log is not asked, and nothing is made at the source."""
        with self._source.snapshot():
            for records, following in snapshot_pages(self._source, self._system, self._stream_name, self._size, ""):
                yield Page(records, datetime.now(UTC), following)

    def _follow(self, place: Place) -> Iterator[Page]:
        """The log up to where it ends now."""
        log = self._look(place)
        place = replace(place, row=None, end=log.position, end_at=log.at)
        yield self._lag_page(place, log)
        yield from self._changes(place)

    def _go_on(self, place: Place) -> Iterator[Page]:
        yield self._lag_page(place, self._look(place))
        if place.row is None:
            yield from self._changes(place)
            return
        with self._source.snapshot():
            yield from self._rows(place)
        yield from self._follow(place)

    def _lag_page(self, place: Place, log: LogEnd) -> Page:
        """Says how far the stream is behind, whatever becomes of the load."""
        return Page([], datetime.now(UTC), place.token(), lag=log.lag, slot=self._slot)

    def _rows(self, place: Place) -> Iterator[Page]:
        """The table's rows from the place on. The caller holds the snapshot."""
        if place.row == _DONE:
            return
        stamp = self._stamp(place)
        pages = snapshot_pages(self._source, self._system, self._stream_name, self._size, place.row or "")
        for records, following in pages:
            read = [msgspec.structs.replace(record, cursor=stamp) for record in records]
            yield Page(read, datetime.now(UTC), replace(place, row=following or _DONE).token())

    def _changes(self, place: Place) -> Iterator[Page]:
        """The log's changes after the place, in pages; the last one has the checkpoint."""
        records: list[Record] = []
        size = 0
        for change in self._log(place):
            if isinstance(change, Reached):
                ended = (Partition("", change.checkpoint, snapshot_since=place.since),)
                yield Page(records, datetime.now(UTC), None, ended=ended, read_until=change.read_until)
                return
            if isinstance(change, Emptied):
                if records:
                    yield Page(records, datetime.now(UTC), place.token())
                    records, size = [], 0
                place = replace(place, since=datetime.now(UTC))
                continue
            records.append(change)
            size += len(change.payload)
            if len(records) >= self._size or size > BYTES:
                place = replace(place, change=change.cursor)
                yield Page(records, datetime.now(UTC), place.token())
                records, size = [], 0
