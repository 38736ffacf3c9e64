"""KRS, the Polish court register: which of two registers holds a company, and what its statuses mean.

Source: the description of the open interface (prs-openapi2-prs-prod.apps.ocp.prod.ms.gov.pl) and what its clients
had to learn: 204 is a company that was struck off, whose full extract the register still gives; 404 is one of the other
register, and the body of the 404 may come with 200.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import msgspec

from onefold.catalog.system import System
from onefold.connectors.capabilities import Capabilities
from onefold.connectors.lookup import LookupKeys, LookupResult
from onefold.connectors.lookup_pages import Found, lookup_pages
from onefold.connectors.page import Page, PageReader
from onefold.connectors.record import Record
from onefold.connectors.records import Head, sound_json
from onefold.connectors.rest.connector import RestConnector
from onefold.connectors.window import Window
from onefold.connectors.window_text import filled
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.systems.krs.full_extract import as_current

log = logging.getLogger(__name__)
REGISTERS = ("P", "S")  # entrepreneurs; associations and other organisations
NOBODY = "0000000000"  # stands in other systems for "no number"
FEED_DAYS = timedelta(days=2)
PER_PAGE = 100
THREADS = 8
WARSAW = ZoneInfo("Europe/Warsaw")

_CURRENT, _FULL = "OdpisAktualny", "OdpisPelny"
_JSON = {"Accept": "application/json"}
_ABSENT = frozenset({404})


class _StruckOff:
    """What 204 says."""


_Reading = bytes | _StruckOff | None


def krs_reader(system: System, stream_name: str, endpoint: Endpoint, http: Client, keys: LookupKeys) -> PageReader:
    """Reads the extracts of the companies that other systems name, changed ones (from the bulletin) in any case; of a
    window that a run names, of companies which the bulletins of its days name.

    A page's token is the last number asked.
    """
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    head = Head(named, stream)
    bulletin = _bulletins(system, stream_name, http)

    def read(window: Window, token: str | None) -> Iterator[Page]:
        changed = {number for day in feed_days(window) for number in bulletin(day)}
        asked, resumed = keys(token, changed, window.scope), token is not None
        return lookup_pages(asked, ask, batch=1, per_page=PER_PAGE, threads=THREADS, named=named, resumed=resumed)

    def ask(numbers: Sequence[str]) -> Found:
        (number,) = numbers
        if not re.fullmatch(r"[0-9]{10}", number) or number == NOBODY:
            return Found([LookupResult(number, "not_found")])
        for register in REGISTERS:
            reading = extract(number, register)
            if isinstance(reading, _StruckOff):
                if (last := full_extract(number, register)) is not None:
                    return Found([LookupResult(number, "found")], [head.record(last)])
                payload = msgspec.json.encode({"numerKRS": number})
                return Found([LookupResult(number, "deleted")], [Record(number, None, True, payload)])
            if reading is not None:
                return Found([LookupResult(number, "found")], [head.record(reading)])
        return Found([LookupResult(number, "not_found")])

    def extract(number: str, register: str) -> _Reading:
        request = stream.request
        values = {"{lookup_key}": number, "{register}": register}
        return http.send(
            request.method,
            filled(request.path, values),
            params={name: filled(value, values) for name, value in request.params.items()},
            headers=_JSON | request.headers,
            accept=_ABSENT,
            parse=lambda response: _reading(response, number),
        )

    def full_extract(number: str, register: str) -> bytes | None:
        """What was registered last of a company that was struck off, in the shape of a current extract."""
        values = {"{lookup_key}": number, "{register}": register}
        return http.send(
            "GET",
            filled(stream.request.path.replace(_CURRENT, _FULL), values),
            params={name: filled(value, values) for name, value in stream.request.params.items()},
            headers=_JSON | stream.request.headers,
            accept=_ABSENT,
            parse=lambda response: _last_known(response, number),
        )

    return read


def _bulletins(system: System, stream_name: str, http: Client) -> Callable[[date], list[str]]:
    """The numbers of the companies that were registered, changed or struck off on a day, in Warsaw."""
    lookup = system.streams[stream_name].lookup

    def bulletin(day: date) -> list[str]:
        if lookup is None or lookup.feed is None:
            return []
        path = filled(lookup.feed, {"{day}": day.isoformat()})
        return http.send("GET", path, headers=_JSON, accept=_ABSENT, parse=_bulletin)

    return bulletin


def feed_days(window: Window) -> list[date]:
    """The days, in Warsaw, whose bulletins are read: those that a named window touches; else at most the last two and
    the end's own, because what other systems name is asked about each day anyhow."""
    if window.scope == "open":
        start, last = max(window.start, window.end - FEED_DAYS), window.end
    else:
        start, last = window.start, window.end - timedelta.resolution
    first_day, last_day = (instant.astimezone(WARSAW).date() for instant in (start, last))
    return [first_day + timedelta(days=days) for days in range((last_day - first_day).days + 1)]


def _reading(response: Response, number: str) -> _Reading:
    """An extract as it came, _StruckOff, or None when this register does not hold the company.

    Raises BadBody for everything else, whatever its status.
    """
    if response.status == 204:
        return _StruckOff()
    content = sound_json(response)
    body = msgspec.json.decode(content)
    if _says_not_found(body):
        return None
    extract = body.get("odpis") if isinstance(body, dict) else None
    heading = extract.get("naglowekA") if isinstance(extract, dict) else None
    if response.status != 200 or not isinstance(heading, dict):
        raise BadBody("neither an extract nor the body of not found")
    if heading.get("numerKRS", number) != number:
        raise BadBody("the extract of another company")
    return content


def _last_known(response: Response, number: str) -> bytes | None:
    """The full extract in the shape of a current one; None where the register has none either.

    Raises BadBody for everything else, whatever its status.
    """
    if response.status == 204:
        return None
    body = msgspec.json.decode(sound_json(response))
    if _says_not_found(body):
        return None
    try:
        current = as_current(body, number)
    except ValueError as error:
        raise BadBody("neither a full extract nor the body of not found") from error
    return msgspec.json.encode(current)


def _bulletin(response: Response) -> list[str]:
    body = msgspec.json.decode(sound_json(response))
    if _says_not_found(body):
        return []  # no bulletin for that day
    if response.status != 200 or not isinstance(body, list):
        raise BadBody("no list of numbers")
    numbers = [each for each in body if isinstance(each, str)]
    if len(numbers) < len(body):
        log.warning(
            "A bulletin of KRS has %d entries that are no numbers; they are passed by.", len(body) - len(numbers)
        )
    return numbers


def _says_not_found(body: object) -> bool:
    """The problem body (RFC 7807) of not found, which comes with 404 and sometimes with 200."""
    return isinstance(body, dict) and body.get("status") == 404 and "odpis" not in body


class KrsConnector(RestConnector):
    """Asks both registers about one company after the other; its bulletins say which have changed."""

    capabilities = Capabilities(lookups=True, feed=True)

    def page_reader(self) -> PageReader:
        source = self.source
        return krs_reader(source.system, source.stream_name, source.endpoint, self.transport, source.keys)

    def feed(self, day: date) -> set[str]:
        """The companies that a day's bulletin names."""
        return set(_bulletins(self.source.system, self.source.stream_name, self.transport)(day))


CONNECTOR = KrsConnector
