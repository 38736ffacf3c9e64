"""MF white list of VAT payers: the register of one day in Warsaw, and the number that proves that it was asked.

Source: "API Rejestr WL" 1.6.0 (wl-test.mf.gov.pl) and what its public clients had to learn: an error is a code WL-…,
and a taxpayer who is not in the register is an entry without subjects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Literal
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

WARSAW = ZoneInfo("Europe/Warsaw")
NO_SUCH_NUMBER = frozenset({"WL-112", "WL-113", "WL-114", "WL-115"})
"""The number asked about is none: nobody can have it."""


class _Error(msgspec.Struct):
    code: str = ""


class _Entry(msgspec.Struct):
    identifier: str
    subjects: list[msgspec.Raw] | None = None
    error: _Error | None = None


class _Result(msgspec.Struct):
    entries: list[msgspec.Raw]
    requestId: str
    requestDateTime: str


class _Answer(msgspec.Struct):
    result: _Result


_WRONG = frozenset({400})
_error = msgspec.json.Decoder(_Error)
_decoder = msgspec.json.Decoder(_Answer)
_entry = msgspec.json.Decoder(_Entry)
_subject = msgspec.json.Decoder(dict[str, msgspec.Raw])


def white_list_reader(
    system: System, stream_name: str, endpoint: Endpoint, http: Client, keys: LookupKeys
) -> PageReader:
    """Reads the taxpayers with the tax numbers (NIP) that other systems name; a page is one request of `lookup.batch`.

    A page's token is the last NIP asked.
    """
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    head = Head(named, stream)
    batch = stream.lookup.batch if stream.lookup else 1

    def read(window: Window, token: str | None) -> Iterator[Page]:
        asked, resumed = keys(token, ()), token is not None
        return lookup_pages(asked, ask, batch=batch, per_page=batch, threads=1, named=named, resumed=resumed)

    def ask(values: Sequence[str]) -> Found:
        nips = [value for value in values if re.fullmatch(r"[0-9]{10}", value)]
        result = search(nips) if nips else _Result([], "", "")
        entries, records = dict[str, _Entry](), list[Record]()
        proof = {"requestId": result.requestId, "requestDateTime": result.requestDateTime}
        for raw in result.entries:
            try:
                entry = _entry.decode(raw)
            except (msgspec.DecodeError, RecursionError):  # no entry: its number stays open, the others are answered
                records.append(head.record(raw))
                continue
            entries[entry.identifier] = entry
            records += [head.record(_payload(subject, entry, proof)) for subject in entry.subjects or ()]
        return Found(
            [
                LookupResult(value, _outcome(entries.get(value)), result.requestId)
                if value in nips
                else LookupResult(value, "not_found")
                for value in values
            ],
            records,
        )

    def search(nips: Sequence[str]) -> _Result:
        request = stream.request
        today = {"{today}": f"{datetime.now(UTC).astimezone(WARSAW):%F}"}
        return http.send(
            request.method,
            filled(request.path, {"{lookup_key}": ",".join(nips)}),
            params={name: filled(value, today) for name, value in request.params.items()},
            headers={"Accept": "application/json"} | request.headers,
            parse=_result,
            shown=request.path,
        )

    return read


class _Found(msgspec.Struct):
    requestId: str
    requestDateTime: str
    subject: msgspec.Raw = msgspec.Raw(b"null")
    accountAssigned: str | None = None


class _FoundAnswer(msgspec.Struct):
    result: _Found


_found = msgspec.json.Decoder(_FoundAnswer)


def entry_on(http: Client, nip: str, day: date) -> tuple[bytes | None, str]:
    """What the register of that day says of the number, None when it has no entry; and the number of our request."""
    found = _asked(http, f"/api/search/nip/{nip}", day, "/api/search/nip/…", _single)
    subject = bytes(found.subject)
    return (None if subject == b"null" else subject), found.requestId


def account_on(http: Client, nip: str, account: str, day: date) -> tuple[bool, str]:
    """Whether the account was the taxpayer's in the register of that day, and the number of our request."""
    path = f"/api/check/nip/{nip}/bank-account/{account}"
    found = _asked(http, path, day, "/api/check/nip/…/bank-account/…", _checked)
    return found.accountAssigned == "TAK", found.requestId


def _asked(http: Client, path: str, day: date, shown: str, parse: Callable[[Response], _Found]) -> _Found:
    return http.send(
        "GET",
        path,
        params={"date": day.isoformat()},
        headers={"Accept": "application/json"},
        accept=_WRONG,
        parse=parse,
        shown=shown,
    )


def _checked(response: Response) -> _Found:
    """As _single; an answer that says nothing of the account is none, and not a no."""
    found = _single(response)
    if response.status == 200 and found.accountAssigned is None:
        raise BadBody("neither TAK nor NIE")
    return found


def _single(response: Response) -> _Found:
    """Raises BadBody for everything that is no answer about one number, an error with status 200 too."""
    body = sound_json(response)
    if response.status == 400:
        code = _error.decode(body).code
        if code in NO_SUCH_NUMBER:
            return _Found("", "")
        raise BadBody("an error that says nothing of the number")
    try:
        found = _found.decode(body).result
    except msgspec.ValidationError as error:
        raise BadBody("no answer with the number of the request") from error
    if found.accountAssigned not in (None, "TAK", "NIE"):
        raise BadBody("neither TAK nor NIE")
    return found


def _payload(subject: msgspec.Raw, entry: _Entry, proof: Mapping[str, str]) -> bytes:
    """The subject as a record; as it was sent where it is no object."""
    try:
        return msgspec.json.encode({"identifier": entry.identifier, **_subject.decode(subject), **proof})
    except (msgspec.DecodeError, RecursionError):
        return bytes(subject)


def _outcome(entry: _Entry | None) -> Literal["found", "not_found", "failed"]:
    """'failed' for what was asked and not answered: it stays open."""
    if entry is None or (entry.error and entry.error.code not in NO_SUCH_NUMBER):
        return "failed"
    return "found" if entry.subjects else "not_found"


def _result(response: Response) -> _Result:
    """Raises BadBody for everything that is no list of entries, an error with status 200 too."""
    try:
        return _decoder.decode(sound_json(response)).result
    except msgspec.ValidationError as error:
        raise BadBody("no list of entries with the number of the request") from error


class WhiteListConnector(RestConnector):
    """Asks the register about a few tax numbers at a time."""

    capabilities = Capabilities(lookups=True)

    def page_reader(self) -> PageReader:
        source = self.source
        return white_list_reader(source.system, source.stream_name, source.endpoint, self.transport, source.keys)


CONNECTOR = WhiteListConnector
