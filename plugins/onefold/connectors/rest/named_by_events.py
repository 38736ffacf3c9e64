"""Records that posted events name: each is read from the system itself, so that an event that is thin, late or sent
twice does no harm.

As the inbox is read, so is this: from the published sequence to the greatest one there is when the load begins. The
record is what the system says then; which of two readings is newer its own time decides, else the time of reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import msgspec

from onefold.catalog.request import Request
from onefold.catalog.system import System
from onefold.catalog.webhook import Fetch
from onefold.connectors.inbox import BYTES, Event, Inbox, span_of
from onefold.connectors.page import Page, PageReader
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record
from onefold.connectors.records import dotted
from onefold.connectors.rest.fill import UnfitValue, Values, text_of, with_values
from onefold.connectors.rest.parents import Picking
from onefold.connectors.window import Window
from onefold.errors import Fatal
from onefold.http.failure import Refused

EVENTS = 200
"""Of a page: so many records are asked for again after a crash."""
MANY = 10
"""So many records that are all gone speak of a wrong path."""
Listing = Callable[[Request, Values], PageReader]


def named_reader(system: System, stream_name: str, fetch: Fetch, listing: Listing) -> PageReader:
    """Reads the stream's events from the inbox, and each record that they name by `listing`."""
    return _Named(system, stream_name, fetch, listing).read


class _Named:
    def __init__(self, system: System, stream_name: str, fetch: Fetch, listing: Listing) -> None:
        self._names = (system.system, stream_name)
        self._named = f"{system.system}.{stream_name}"
        self._request = system.streams[stream_name].request
        self._fetch = fetch
        self._listing = listing
        self._picking = Picking({name: dotted(path) for name, path in fetch.fill.items()})
        key = system.streams[stream_name].primary_key[0]
        self._key = system.streams[stream_name].fields[key].path or key

    def read(self, window: Window, token: str | None) -> Iterator[Page]:
        """The pages of the load; the window's times say nothing here."""
        read = gone = 0
        with Inbox() as inbox:
            after, end = (
                msgspec.json.decode(token, type=tuple[int, int]) if token else span_of(inbox, self._names, window)
            )
            while True:
                at = datetime.now(UTC)
                events = inbox.events(*self._names, after, end, EVENTS, BYTES) if after < end else []
                records = list(self._records(events, window))
                gone += sum(record.deleted for record in records)
                read += sum(not record.deleted for record in records)
                self._require_some(read, gone)
                after = events[-1].sequence if events else end
                if after >= end:
                    break
                yield Page(records, at, msgspec.json.encode([after, end]).decode())
            yield Page(records, at, None, ended=(Partition("", str(end)),))

    def _records(self, events: list[Event], window: Window) -> Iterator[Record]:
        """Each record that the events name, once; an event that names none is one without a key, for quarantine."""
        asked: set[str] = set()
        for event in events:
            values = self._picking.values(event.body)
            request = None if values is None else self._asked(values)
            if values is None or request is None:
                yield Record(None, None, False, event.body)
            elif (key := text_of(values[self._key])) not in asked:
                asked.add(key)
                yield from self._fetched(key, request, values, window)

    def _asked(self, values: Values) -> Request | None:
        try:
            return with_values(self._request, values)
        except UnfitValue:
            return None

    def _fetched(self, key: str, request: Request, values: Values, window: Window) -> Iterator[Record]:
        try:
            for page in self._listing(request, values)(window, None):
                yield from page.records
        except Refused as error:
            if error.status not in self._fetch.gone:
                hint = "If it means that the record is deleted, say so in the stream's YAML"
                raise Refused(
                    f"{error} {hint} (webhook: {{fetch: {{gone: [{error.status}]}}}}).", error.status
                ) from error
            content: object = values[self._key]
            for part in reversed(dotted(self._key)):
                content = {part: content}
            yield Record(key, None, True, msgspec.json.encode(content))

    def _require_some(self, read: int, gone: int) -> None:
        if gone >= MANY and not read:
            raise Fatal(
                f"{self._named}: every record that events name ({gone}) was answered with a status that "
                "webhook.fetch.gone names. That is no matter of single ones: compare request.path with the system's "
                "interface. Nothing was changed here."
            )
