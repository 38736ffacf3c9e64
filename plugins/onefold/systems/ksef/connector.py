"""KSeF 2.0, Poland's national system of e-invoices: they are exported in encrypted packages, not listed.

By the export and not by the metadata query, because each may be asked for 20 times an hour: a query gives 250 headers,
an export 10,000 whole invoices. Source: the OpenAPI description 2.6 (api.ksef.mf.gov.pl/docs/v2) and the ministry's
"Przyrostowe pobieranie faktur" and "High Water Mark" (github.com/CIRFMF/ksef-docs).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

import msgspec

from onefold.catalog.fields import SourceField
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.capabilities import Capabilities
from onefold.connectors.page import Page, PageReader
from onefold.connectors.record import Record
from onefold.connectors.records import Head
from onefold.connectors.rest.connector import RestConnector
from onefold.connectors.window import Window
from onefold.errors import Fatal
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.systems.ksef.invoice import by_line, whole
from onefold.systems.ksef.package import Package, exported
from onefold.systems.ksef.session import Session

PER_PAGE = 1000
"""So many records make a page; an invoice's lines are never parted."""

_PLAIN = re.compile(r"\w+(\.\w+)*")


@dataclass(frozen=True, slots=True)
class _Place:
    """How far we are: everything stored before `since` has been given, and of that very moment the `given`."""

    since: datetime
    given: frozenset[str] = field(default_factory=frozenset)

    def after(self, number: str, stored: datetime) -> _Place:
        return _Place(stored, frozenset({number})) if stored > self.since else _Place(self.since, self.given | {number})

    @property
    def token(self) -> str:
        return msgspec.json.encode([self.since.isoformat(), sorted(self.given)]).decode()

    @classmethod
    def of(cls, token: str) -> _Place:
        since, given = msgspec.json.decode(token, type=tuple[str, list[str]])
        return cls(datetime.fromisoformat(since), frozenset(given))


def ksef_reader(system: System, stream_name: str, endpoint: Endpoint, http: Client) -> PageReader:
    """Reads invoices, or with `records: FaWiersz` their lines, by the date of permanent storage, never beyond KSeF's
    high-water mark: below it nothing is added later, so that the cursor passes by no invoice.

    `request.params` are KSeF's filters (a subject type is a stream of its own); `request.slices` cuts the window. A
    page's token says after which invoice to go on: in another package, for a package's key dies with the process.
    """
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    head = Head(named, stream)
    spread = by_line if stream.records else whole
    paths = optional_places(stream)
    session = Session(system, endpoint, http)
    slices = stream.request.slices
    first = datetime.combine(slices.since, time(), UTC) if slices else datetime.min.replace(tzinfo=UTC)
    longest = slices.longest if slices else timedelta(days=89)

    def read(window: Window, token: str | None) -> Iterator[Page]:
        place = _Place.of(token) if token else _Place(max(window.start, first))
        while place.since < window.end:
            began, until = place, min(place.since + longest, window.end)
            with exported(named, stream.request, began.since, until, session, http) as package:
                for records, reached in batches(package, began, window.end):
                    place = reached
                    yield Page(records, datetime.now(UTC), place.token)
            if package.is_truncated and place == began:
                raise Fatal(
                    f"{named}: more invoices were stored at {began.since.isoformat()} than one package holds, so that "
                    "KSeF gives the same ones again and again. Report it to the ministry."
                )
            if package.is_truncated:
                continue  # from the date of the last invoice: it may not be the only one of that moment
            if package.complete_to and package.complete_to < until:
                break  # others may still be stored before what is stored by then: the next load brings them
            place = _Place(until, place.given)
        yield Page([], datetime.now(UTC), None)

    def batches(package: Package, place: _Place, end: datetime) -> Iterator[tuple[list[Record], _Place]]:
        """The package's new records, a page at a time, and how far each page gets."""
        records: list[Record] = []
        for invoice in package.invoices(named):
            number, stored = invoice.says("ksefNumber") or "", invoice.stored or place.since
            if (number and number in place.given) or stored >= end:
                continue
            place = place.after(number, stored)
            payloads = spread(invoice, paths) if invoice.odd is None else [invoice.odd]
            records += [head.record(payload) for payload in payloads]
            if len(records) >= PER_PAGE:
                yield records, place
                records = []
        if records:
            yield records, place

    return read


def optional_places(stream: Stream) -> list[tuple[str, ...]]:
    """Where a record of the stream has null when its invoice has nothing there."""
    return [place for name, field in stream.fields.items() if not field.required and (place := _place(name, field))]


def _place(name: str, field: SourceField) -> tuple[str, ...]:
    """Where the field is in a record; empty when only SQL/JSON can say it."""
    path = (field.path or name).removeprefix("$.")
    return tuple(path.split(".")) if _PLAIN.fullmatch(path) else ()


class KsefConnector(RestConnector):
    """Reads invoices from exported packages."""

    capabilities = Capabilities(windows="always")

    def page_reader(self) -> PageReader:
        source = self.source
        return ksef_reader(source.system, source.stream_name, source.endpoint, self.transport)


CONNECTOR = KsefConnector
