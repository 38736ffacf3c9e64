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
from onefold.connectors.message_records import MessageRecords
from onefold.connectors.page import Page, PageReader
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record
from onefold.connectors.webhook.inbox import Event, InboxTransport
from onefold.connectors.window import Window
from onefold.errors import Fatal

ROWS = 5_000
"""Events of a page where the YAML's next.size does not say."""
BYTES = 16 << 20
"""Of a page's events; the one that reaches it is the last."""


def webhook_reader(system: System, stream_name: str, inbox: InboxTransport) -> PageReader:
    """Reads the pages of one stream."""
    return _Reader(system, stream_name, inbox).read


def position(checkpoint: str, named: str) -> int:
    """The sequence that a stored checkpoint stands for. Raises Fatal where it is none."""
    if not (checkpoint.isascii() and checkpoint.isdecimal()):
        raise Fatal(
            f"{named}: what is stored of its position (ops.stream_checkpoint) is no position in the inbox. "
            "If the stream was read in another way before, load it anew (bin/onefold sync --help, --anew)."
        )
    return int(checkpoint)


def span_of(inbox: InboxTransport, names: tuple[str, str], window: Window) -> tuple[int, int]:
    """The sequence up to which a stream's events are published, and the greatest one there is."""
    held = position(window.checkpoints.get("", "0"), ".".join(names))
    return held, max(held, inbox.end(*names))


class _Reader:
    def __init__(self, system: System, stream_name: str, inbox: InboxTransport) -> None:
        self._names = (system.system, stream_name)
        self._named = f"{system.system}.{stream_name}"
        self._inbox = inbox
        self._records = MessageRecords(system, stream_name)
        self._size = system.streams[stream_name].next.size or ROWS

    def read(self, window: Window, token: str | None) -> Iterator[Page]:
        """The pages of the load; the window's times say nothing here."""
        after, end, since = self._span(window, token)
        if token is None:
            lag = self._inbox.lag(*self._names, after)
            yield Page([], datetime.now(UTC), _token(after, end, since), lag=lag)
        while True:
            events = self._inbox.events(*self._names, after, end, self._size, BYTES) if after < end else []
            records: list[Record] = []
            for event in events:
                for record in self._of(event):
                    if not isinstance(record, Emptied):
                        records.append(record)
                        continue
                    if records:
                        yield Page(records, datetime.now(UTC), _token(after, end, since))
                        records = []
                    since = datetime.now(UTC)
                after = event.sequence
            if not events or after >= end:
                break
            yield Page(records, datetime.now(UTC), _token(after, end, since))
        ended = (Partition("", str(end), snapshot_since=since),)
        yield Page(records, datetime.now(UTC), None, ended=ended)

    def _span(self, window: Window, token: str | None) -> tuple[int, int, datetime | None]:
        """The sequence that is read already, the one to read up to, and since when the table was empty, if it was."""
        if token is not None:
            return msgspec.json.decode(token, type=tuple[int, int, datetime | None])
        return *span_of(self._inbox, self._names, window), None

    def _of(self, event: Event) -> Iterator[Record | Emptied]:
        """What the event says. Where that has no order of its own, the order of arrival is the order of versions."""
        for place, record in enumerate(self._records.of(event.body)):
            if isinstance(record, Emptied) or self._records.ordered:
                yield record
            else:
                yield Record(record.key, f"{event.sequence:020d}.{place:06d}", record.deleted, record.payload)


def _token(after: int, end: int, since: datetime | None) -> str:
    return msgspec.json.encode([after, end, since]).decode()
