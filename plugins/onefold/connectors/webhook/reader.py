"""Reads a stream from the inbox, from the published sequence to the greatest one there is when the load begins.

Nothing is taken out of the inbox by reading. A stream without a published position (it is new, it was rolled back, or
is loaded anew) is read from the oldest event that is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from onefold.catalog.system import System
from onefold.connectors.emptied import Emptied
from onefold.connectors.inbox import BYTES, Event, Inbox, span_of
from onefold.connectors.message_records import MessageRecords
from onefold.connectors.page import Page, PageReader
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record
from onefold.connectors.window import Window

ROWS = 5_000
"""Events of a page where the YAML's next.size does not say."""


def webhook_reader(system: System, stream_name: str, inbox: Inbox) -> PageReader:
    """Reads the pages of one stream."""
    return _Reader(system, stream_name, inbox).read


def last_look(checkpoint: str) -> datetime | None:
    """When what the sender could not deliver was asked for last (Recovery)."""
    _, _, looked_at = checkpoint.partition(" ")
    return datetime.fromisoformat(looked_at) if looked_at else None


class _Place(msgspec.Struct, array_like=True):
    """The sequence that is read already, the one to read up to, since when the table was empty, if it was, and when
    what the sender could not deliver was asked for."""

    after: int
    end: int
    since: datetime | None
    looked_at: datetime | None

    def token(self) -> str:
        return msgspec.json.encode(self).decode()

    def partition(self) -> Partition:
        """What is stored once the load is published."""
        looked = f" {self.looked_at.isoformat()}" if self.looked_at else ""
        return Partition("", f"{self.end}{looked}", snapshot_since=self.since)


class _Reader:
    def __init__(self, system: System, stream_name: str, inbox: Inbox) -> None:
        self._names = (system.system, stream_name)
        self._inbox = inbox
        self._records = MessageRecords(system, stream_name)
        self._size = system.streams[stream_name].next.size or ROWS
        self._recovery = None
        webhook = system.streams[stream_name].webhook
        if webhook and webhook.recover and inbox.sender:
            from onefold.connectors.webhook.recover import Recovery  # imports the reader of REST

            self._recovery = Recovery(system, stream_name, webhook, webhook.recover, inbox.sender, inbox)

    def read(self, window: Window, token: str | None) -> Iterator[Page]:
        """The pages of the load; the window's times say nothing here."""
        if token is None:
            place = self._begin(window)
            lag = self._inbox.lag(*self._names, place.after)
            yield Page([], datetime.now(UTC), place.token(), lag=lag)
        else:
            place = msgspec.json.decode(token, type=_Place)
        while True:
            events = self._next(place)
            records: list[Record] = []
            for event in events:
                for record in self._of(event):
                    if not isinstance(record, Emptied):
                        records.append(record)
                        continue
                    if records:
                        yield Page(records, datetime.now(UTC), place.token())
                        records = []
                    place.since = datetime.now(UTC)
                place.after = event.sequence
            if not events or place.after >= place.end:
                break
            yield Page(records, datetime.now(UTC), place.token())
        yield Page(records, datetime.now(UTC), None, ended=(place.partition(),))

    def _next(self, place: _Place) -> list[Event]:
        if place.after >= place.end:
            return []
        return self._inbox.events(*self._names, place.after, place.end, self._size, BYTES)

    def _begin(self, window: Window) -> _Place:
        """Where a load begins, after what the sender could not deliver is in the inbox too."""
        looked_at = last_look(window.checkpoints.get("", ""))
        if self._recovery:
            looked_at = self._recovery.look(looked_at)
        return _Place(*span_of(self._inbox, self._names, window), None, looked_at)

    def _of(self, event: Event) -> Iterator[Record | Emptied]:
        """What the event says. Where that has no order of its own, the order of arrival is the order of versions."""
        for place, record in enumerate(self._records.of(event.body)):
            if isinstance(record, Emptied) or self._records.ordered:
                yield record
            else:
                yield Record(record.key, f"{event.sequence:020d}.{place:06d}", record.deleted, record.payload)
