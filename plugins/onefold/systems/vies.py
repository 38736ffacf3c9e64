"""VIES, the European Commission's check of VAT numbers: two ways to ask, and answers that are none.

Source: the WSDL checkVatService and the REST interface "VIES on the web" (both at ec.europa.eu/taxation_customs/vies),
and what their public clients had to learn: the member state's own system may not answer, which says nothing about the
number. Only a plain false, INVALID and INVALID_INPUT mean no.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import msgspec
from lxml import etree

from onefold.catalog.system import System
from onefold.connectors import safe_xml
from onefold.connectors.capabilities import Capabilities
from onefold.connectors.lookup import LookupKeys, LookupResult
from onefold.connectors.lookup_pages import Found, lookup_pages
from onefold.connectors.page import Page, PageReader
from onefold.connectors.records import Head, sound_json
from onefold.connectors.rest.connector import RestConnector
from onefold.connectors.soap.service import SoapService
from onefold.connectors.window import Window
from onefold.connectors.window_text import top_level
from onefold.errors import Retriable
from onefold.foreign_text import described
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.failure import QuotaExhausted, Refused
from onefold.http.known_words import ERROR_CODES

PER_PAGE = 100
NO = frozenset({"INVALID", "INVALID_INPUT"})
NOTHING = "---"  # a member state that tells no name or address
BLOCKED = "IP_BLOCKED"

Verdict = Mapping[str, object]
"""What was said of a number, by the names of the wire."""


@dataclass(frozen=True, slots=True)
class NotKnown:
    """No answer about the number, with the code that says why."""

    code: str


Way = Callable[[str, str], Verdict | NotKnown]
"""Asks about a country and a number in it. Raises Retriable or Refused when nobody answers this way."""


def vies_reader(system: System, stream_name: str, endpoint: Endpoint, http: Client, keys: LookupKeys) -> PageReader:
    """Reads what VIES says of the VAT numbers that other systems name: by REST, and by SOAP where that gives no answer.

    A page's token is the last number asked. The connection's extra {"requester": "PL…"}, our own VAT number, makes
    REST answer with a requestIdentifier, the proof that we asked.
    """
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    head, fields = Head(named, stream), top_level(stream)
    requester = (endpoint.extra or {}).get("requester", "")
    ways = [_by_rest(http, stream.request.path, requester), _by_soap(SoapService(system, endpoint, http))]

    def read(window: Window, token: str | None) -> Iterator[Page]:
        # One at a time: a member state that is asked too much at once stops to answer (MS_MAX_CONCURRENT_REQ).
        asked, resumed = keys(token, ()), token is not None
        return lookup_pages(asked, ask, batch=1, per_page=PER_PAGE, threads=1, named=named, resumed=resumed)

    def ask(numbers: Sequence[str]) -> Found:
        (number,) = numbers
        if not re.fullmatch(r"[A-Z]{2}[0-9A-Z+*.]{2,12}", number):
            return Found([LookupResult(number, "not_found")])
        country, rest = number[:2].replace("GR", "EL"), number[2:]
        unknown: Retriable | None = None
        failures: list[Retriable | Refused] = []
        for way in list(ways):
            try:
                said = way(country, rest)
            except QuotaExhausted:
                raise
            except (Retriable, Refused) as error:
                failures.append(error)
                ways.append(ways.pop(ways.index(way)))  # the other way is asked first from now on
                continue
            if isinstance(said, NotKnown):
                if said.code == BLOCKED:
                    raise QuotaExhausted(f"{named}: VIES answers our address no more ({BLOCKED}). Run it later.")
                why = described(said.code, ERROR_CODES)
                unknown = Retriable(f"{named}: VIES could not tell ({why}). The number is asked about next time.")
                continue
            told = {name: None if value == NOTHING else value for name, value in said.items() if name in fields}
            payload = {**told, "vat": number, "countryCode": country, "vatNumber": rest}
            proof = str(said.get("requestIdentifier") or "") or None
            return Found([LookupResult(number, "found", proof)], [head.record(msgspec.json.encode(payload))])
        if unknown:
            return Found([LookupResult(number, "failed")], error=unknown)
        raise failures[0]

    return read


def _by_rest(http: Client, path: str, requester: str) -> Way:
    of_ours = {"requesterMemberStateCode": requester[:2], "requesterNumber": requester[2:]} if requester else {}

    def ask(country: str, number: str) -> Verdict | NotKnown:
        return http.send(
            "POST",
            path,
            headers={"Accept": "application/json", "Content-Type": "application/json"},
            body=msgspec.json.encode({"countryCode": country, "vatNumber": number, **of_ours}),
            parse=_rest_verdict,
        )

    return ask


def _by_soap(service: SoapService) -> Way:
    def ask(country: str, number: str) -> Verdict | NotKnown:
        arguments = {"countryCode": country, "vatNumber": number}
        return service.call("checkVat", arguments, _soap_verdict, meaning=_meaning)

    return ask


def _rest_verdict(response: Response) -> Verdict | NotKnown:
    body = msgspec.json.decode(sound_json(response))
    if not isinstance(body, dict):
        raise BadBody("no object")
    errors = [each.get("error") for each in body.get("errorWrappers") or () if isinstance(each, dict)]
    code = next((text for text in errors if isinstance(text, str)), None)
    if code or body.get("actionSucceed") is False:
        return _meaning(code or "no reason given") or NotKnown("no reason given")
    if not isinstance(body.get("valid"), bool):
        raise BadBody("neither a verdict nor a reason for none")
    reason = body.get("userError")
    if body["valid"] is False and isinstance(reason, str) and reason not in NO | {"", "VALID"}:
        return NotKnown(reason)
    return body


def _soap_verdict(envelope: BinaryIO) -> Verdict | NotKnown:
    answer = safe_xml.tree(envelope).find("{*}Body/{*}checkVatResponse")
    said = {} if answer is None else {etree.QName(each).localname: each.text or "" for each in answer}
    if said.get("valid") not in ("true", "false", "1", "0"):
        raise BadBody("no verdict")
    return {**said, "valid": said["valid"] in ("true", "1")}


def _meaning(reason: str) -> Verdict | NotKnown | None:
    """What an error's text means; None for one that is no code of VIES. SOAP writes some as { 'INVALID_INPUT' }."""
    code = reason.strip("{}' \n")
    if code in NO:
        return {"valid": False, "name": None, "address": None}
    return NotKnown(code) if re.fullmatch(r"[A-Z]+(_[A-Z]+)*", code) else None


class ViesConnector(RestConnector):
    """Asks about one VAT number after the other, by REST or by SOAP."""

    capabilities = Capabilities(lookups=True)

    def page_reader(self) -> PageReader:
        source = self.source
        return vies_reader(source.system, source.stream_name, source.endpoint, self.transport, source.keys)


CONNECTOR = ViesConnector
