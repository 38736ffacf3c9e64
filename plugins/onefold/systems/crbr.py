"""CRBR, the register of beneficial owners: what its statuses mean, and one record for each owner of a company.

Source: the Ministry of Finance's WSDL ApiPrzegladoweCRBR (2022-12-01), and what its public clients had to learn.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from onefold.catalog.system import System
from onefold.connectors import safe_xml
from onefold.connectors.capabilities import Capabilities
from onefold.connectors.json_lines import json_line
from onefold.connectors.lookup import LookupKeys, LookupResult
from onefold.connectors.lookup_pages import Found, lookup_pages
from onefold.connectors.page import Page, PageReader
from onefold.connectors.records import Head
from onefold.connectors.safe_xml import Value
from onefold.connectors.soap.connector import SoapConnector
from onefold.connectors.soap.service import SoapService
from onefold.connectors.window import Window
from onefold.http.attempt import BadBody
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint

_Owner = dict[str, Value | int]
log = logging.getLogger(__name__)

PER_PAGE = 100
NOBODY = "0000000000"  # stands in other systems for "no number"
FOUND, NOTHING, WRONG = "IstniejaInformacje", "BrakInformacji", "BladFormalny"
_OF_GROUP = "InformacjeOUprawnieniachPrzyslugujacychBeneficjentowiGrupowemuTrust"
UNUSED = ("ListaBeneficjentowRzeczywistych", "ListaZglaszajacych")  # the owners are told one by one, the reporters not


def crbr_reader(system: System, stream_name: str, endpoint: Endpoint, http: Client, keys: LookupKeys) -> PageReader:
    """Reads the owners of the companies that other systems name, company by company.

    Who is no longer among a company's owners is gone, and so are all of them when the register has nothing on it. A
    page's token is the last KRS number asked.
    """
    named = f"{system.system}.{stream_name}"
    operation = system.streams[stream_name].request.operation or ""
    head = Head(named, system.streams[stream_name])
    service = SoapService(system, endpoint, http)

    def read(window: Window, token: str | None) -> Iterator[Page]:
        asked, resumed = keys(token, ()), token is not None
        return lookup_pages(asked, ask, batch=1, per_page=PER_PAGE, threads=1, named=named, resumed=resumed)

    def ask(numbers: Sequence[str]) -> Found:
        (krs,) = numbers
        if not re.fullmatch(r"[0-9]{10}", krs) or krs == NOBODY:
            return Found([LookupResult(krs, "not_found")])
        arguments = {f"{operation}Dane": {"SzczegolyWniosku": {"KRS": krs}}}
        owners = service.call(operation, arguments, lambda envelope: _owners(envelope, krs))
        if owners is None:
            log.warning("%s: the register calls a question formally wrong; what is held of that company stays", named)
            return Found([LookupResult(krs, "not_found")])
        records = [head.record(json_line(owner)) for owner in owners]
        return Found([LookupResult(krs, "found" if owners else "not_found")], records, snapshots=[krs])

    return read


def _owners(envelope: BinaryIO, krs: str) -> list[_Owner] | None:
    """The owners that the answer names, none when the register has no information; None when the question was wrong.

    Raises BadBody when it is neither, or about another company.
    """
    answers = list(safe_xml.rows(envelope, "PobierzInformacjeOSpolkachIBeneficjentachOdpowiedzDane"))
    status = answers[0].get("Status") if answers else None
    if status == WRONG:
        return None
    if status == NOTHING:
        return []
    if status != FOUND:
        raise BadBody("an answer without one of the three statuses")
    entries = _items(answers[0].get("ListaInformacjiOSpolkachIBeneficjentach"), "SpolkaIBeneficjenci")
    return [owner for entry in entries for owner in owners_of(entry, krs)]


def owners_of(entry: Value, krs: str) -> Iterator[_Owner]:
    """The company's fields with those of one owner, for each, numbered in the order of the notification."""
    if not isinstance(entry, dict):
        raise BadBody("a company without its fields")
    if entry.get("KRS", krs) != krs:
        raise BadBody("the owners of another company")
    company = {name: value for name, value in entry.items() if name not in UNUSED}
    for place, owner in enumerate(_items(entry.get(UNUSED[0]), "BeneficjentRzeczywisty"), start=1):
        if not isinstance(owner, dict):
            raise BadBody("an owner without fields")
        told: _Owner = {**company, "KRS": krs, "Pozycja": place, **owner}
        if "Obywatelstwo" in owner:
            told["Obywatelstwo"] = _listed(owner["Obywatelstwo"])
        if "ListaInformacjiOUdzialach" in owner:
            told["ListaInformacjiOUdzialach"] = _items(owner["ListaInformacjiOUdzialach"], "InformacjaOUdzialach")
        yield told | _rights(owner)


def _rights(owner: Mapping[str, Value]) -> _Owner:
    """What of all that an owner is named for is told in words: rights through others, and offices and the like."""
    shares = [
        each
        for each in _items(owner.get("ListaInformacjiOUdzialach"), "InformacjaOUdzialach")
        if isinstance(each, dict)
    ]
    others = [each["InneUprawnienia"] for each in shares if isinstance(each.get("InneUprawnienia"), dict)]
    kinds = [
        (other.get("RodzajInnychUprawnien"), other.get("OpisInnychUprawnien"))
        for other in others
        if isinstance(other, dict)
    ]
    told = [text for kind, text in kinds for text in (kind.get("Opis") if isinstance(kind, dict) else None, text)]
    rights = {
        "UprawnieniaPosrednie": [each.get("UprawnieniaWlascicielskiePosrednie") for each in shares],
        "InneUprawnienia": [*told, owner.get(_OF_GROUP)],
    }
    texts = {name: [each for each in values if isinstance(each, str) and each] for name, values in rights.items()}
    return {name: list(values) for name, values in texts.items() if values}


def _items(value: Value, name: str) -> list[Value]:
    """The elements of this name in a list's element, whether there are none, one or several."""
    return _listed(value.get(name)) if isinstance(value, dict) else []


def _listed(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [] if value is None else [value]


class CrbrConnector(SoapConnector):
    """Asks the register about one company after the other."""

    capabilities = Capabilities(lookups=True)

    def page_reader(self) -> PageReader:
        source = self.source
        return crbr_reader(source.system, source.stream_name, source.endpoint, self.transport, source.keys)


CONNECTOR = CrbrConnector
