"""Reads a Redis stream by its entries' ids, from the published one to the last one there is when the load begins.

A stream without a published position (it is new, was rolled back, or is loaded anew) is read from its oldest entry.
What was trimmed before that is unknown, and not missed. After a published position nothing may be missing: what was
added must be what is read (state.py).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import redis

from onefold.catalog.system import System
from onefold.connectors.emptied import Emptied
from onefold.connectors.message_records import MessageRecords
from onefold.connectors.page import Page, PageReader
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record
from onefold.connectors.redis_stream.position import FIRST, Checkpoint, EntryId, cursor
from onefold.connectors.redis_stream.server import RedisServer
from onefold.connectors.redis_stream.state import lag, lost, require_nothing_lost, require_state
from onefold.connectors.window import Window

ROWS = 10_000
"""Entries of a page where the YAML's next.size does not say."""
BYTES = 16 << 20
"""Of a page's entries, as those before it were."""
FIRST_ROWS = 200
"""Entries of the first page, whose size nobody knows yet; each further one has at most four times as many."""
KEY_FIELD = b"key"
"""The field in which Debezium Server writes a message's key (redis.message.format=extended)."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a load stands: it has read `read` entries after the checkpoint, up to `at`. It ends with `end`, whose
    `position` was the stream's last when it began. `is_first`: nothing is published, and `held` is the beginning.
    `since`: when an entry said that the table was emptied, where one has."""

    held: Checkpoint
    end: Checkpoint
    is_first: bool
    at: EntryId
    read: int = 0
    since: datetime | None = None

    def token(self) -> str:
        checkpoints = (self.held.text(), self.end.text())
        return msgspec.json.encode([*checkpoints, self.is_first, str(self.at), self.read, self.since]).decode()

    @classmethod
    def of(cls, token: str, named: str) -> Place:
        held, end, is_first, at, read, since = msgspec.json.decode(
            token, type=tuple[str, str, bool, str, int, datetime | None]
        )
        return cls(Checkpoint.of(held, named), Checkpoint.of(end, named), is_first, EntryId.parse(at), read, since)


def redis_stream_reader(system: System, stream_name: str, server: RedisServer) -> PageReader:
    """Reads the pages of one stream. Raises Fatal when entries are missing after the published position."""
    return _Reader(system, stream_name, server).read


class _Reader:
    def __init__(self, system: System, stream_name: str, server: RedisServer) -> None:
        stream = system.streams[stream_name]
        self._named = f"{system.system}.{stream_name}"
        self._server = server
        self._key = stream.request.stream or ""
        self._field = stream.request.field.encode() if stream.request.field else None
        self._records = MessageRecords(system, stream_name)
        self._most = stream.next.size or ROWS

    def read(self, window: Window, token: str | None) -> Iterator[Page]:
        """The pages of the load; the window's times say nothing here."""
        if token is not None:
            yield from self._pages(Place.of(token, self._named))
            return
        state, added = require_state(self._server, self._key, self._named)
        stored = window.checkpoints.get("")
        if stored is None:
            epoch = int(state.at.timestamp())
            held = Checkpoint(self._key, FIRST, added - state.length, epoch)
        else:
            held = Checkpoint.of(stored, self._named)
            require_nothing_lost(held, state, added, self._named)
        end = replace(held, position=state.last, added=added, as_of=state.at)
        place = Place(held, end, stored is None, held.position)
        yield Page([], datetime.now(UTC), place.token(), lag=lag(held, state))
        yield from self._pages(place)

    def _pages(self, place: Place) -> Iterator[Page]:
        rows = min(FIRST_ROWS, self._most)
        while True:
            entries, size = self._entries(place, rows)
            records: list[Record] = []
            for entry in entries:
                for record in self._of(place.end.epoch, *entry):
                    if not isinstance(record, Emptied):
                        records.append(record)
                        continue
                    if records:
                        yield Page(records, datetime.now(UTC), place.token())
                        records = []
                    place = replace(place, since=datetime.now(UTC))
            if entries:
                place = replace(place, at=EntryId.parse(entries[-1][0]), read=place.read + len(entries))
            if len(entries) < rows:
                break
            yield Page(records, datetime.now(UTC), place.token())
            rows = min(self._most, rows * 4, max(1, BYTES * rows // max(size, 1)))
        self._require_all(place)
        ended = (Partition("", place.end.text(), snapshot_since=place.since),)
        yield Page(records, datetime.now(UTC), None, ended=ended)

    def _entries(self, place: Place, rows: int) -> tuple[list[tuple[bytes, dict[bytes, bytes]]], int]:
        """The next entries up to the load's end, and how many bytes they have."""

        def ask(client: redis.Redis) -> tuple[tuple[list[tuple[bytes, dict[bytes, bytes]]], int], int]:
            found: Any = client.xrange(self._key, f"({place.at}", str(place.end.position), rows)
            size = sum(len(name) + len(value) for _, fields in found for name, value in fields.items())
            return (found, size), size

        return self._server.ask("XRANGE", self._key, ask)

    def _require_all(self, place: Place) -> None:
        """See that as many entries were read as there were added."""
        missing = place.end.added - place.held.added - place.read
        if not missing:
            return
        if place.is_first:
            log.warning("%s: %s entries were trimmed while the stream was read whole", self._named, f"{missing:,}")
        else:
            what = (
                f"{missing:,} entries were trimmed or deleted before they were read"
                if missing > 0
                else f"{-missing:,} more were read than were added since: the stream was deleted and made anew"
            )
            raise lost(self._named, place.held, what)

    def _of(self, epoch: int, entry_id: bytes, fields: dict[bytes, bytes]) -> Iterator[Record | Emptied]:
        """What the entry says. Where that has no order of its own, the order of the ids is the order of versions."""
        entry = EntryId.parse(entry_id)
        for place, record in enumerate(self._records_of(fields)):
            if isinstance(record, Emptied) or self._records.ordered:
                yield record
            else:
                yield Record(record.key, cursor(epoch, entry, place), record.deleted, record.payload)

    def _records_of(self, fields: dict[bytes, bytes]) -> Iterable[Record | Emptied]:
        if self._field is not None and self._field in fields:
            return self._records.of(fields[self._field], fields.get(KEY_FIELD))
        try:
            body = msgspec.json.encode({name.decode(): value.decode() for name, value in fields.items()})
        except UnicodeDecodeError:
            body = b"\n".join(name + b"=" + value for name, value in fields.items())
        return self._records.of(body) if self._field is None else [Record(None, None, False, body)]
