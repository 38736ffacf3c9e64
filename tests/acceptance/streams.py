"""The streams of the catalogue and what the suite must know to accept each: a new stream is listed in CASES."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from onefold.catalog.reader import read_catalog
from onefold.catalog.system import Stream, System
from onefold.connectors.page import Endpoint

CATALOG = read_catalog()
RATE = {"rate": "1000/s"}


@dataclass(frozen=True)
class Case:
    """What the catalogue does not say about a stream.

    Attributes:
        connection: the login of its stand-in; the address is the sandbox's, followed by the system's name.
        path: occurs in the address or SOAP action of every request for records, and of no other.
        renamed: contract changes that reject a load, as field of the catalogue and its name on the wire.
        retyped: field, its name on the wire, the type that it gets, and how the message calls that type.
        vanishing: an optional field, and its name on the wire, that stops to come.
        ended: SQL that is true of a staged record that is gone at the source. Where it is not _deleted, the source
            only hints at it, and may hint at it for others too.
        small_pages: a number in a module that is made small, so that a small world has several pages.
        one: occurs in the address of the request for one {question} only; None where questions are asked in turn.
        expiry: when a sign-in is made to end between two pages, as a fault's parameters.
        cannot_have: the faults that the protocol does not know, each with its reason.
    """

    connection: Mapping[str, str]
    path: str
    renamed: tuple[tuple[str, str], ...]
    vanishing: tuple[tuple[str, str], ...]
    retyped: tuple[tuple[str, str, str, str], ...]
    ended: str = "_deleted"
    small_pages: tuple[str, int] | None = None
    one: str | None = None
    expiry: Mapping[str, object] = field(default_factory=lambda: {"after": 1})
    cannot_have: Mapping[str, str] = field(default_factory=dict)


CASES: dict[str, Case] = {
    "salesforce.account": Case(
        connection={"login": "onefold", "password": "sandbox-secret"},
        path="/query",
        renamed=(("Name", "Name"), ("Id", "Id"), ("IsDeleted", "IsDeleted"), ("SystemModstamp", "SystemModstamp")),
        vanishing=(("NIP__c", "NIP__c"),),
        retyped=(("Name", "Name", "number", "number"), ("CreditLimit__c", "CreditLimit__c", "object", "object")),
    ),
    "sap.business_partner": Case(
        connection={"login": "ONEFOLD", "password": "sandbox-secret"},
        path="A_BusinessPartner",
        renamed=(("OrganizationBPName1", "OrganizationBPName1"), ("BusinessPartner", "BusinessPartner")),
        vanishing=(("city", "CityName"), ("nip", "BPTaxNumber"), ("email", "EmailAddress")),
        retyped=(
            ("OrganizationBPName1", "OrganizationBPName1", "number", "number"),
            ("city", "CityName", "object", "object"),
        ),
        cannot_have={"expired_token": "basic sign-in has no token: a refused password is for a person to mend"},
    ),
    "krs.extract": Case(
        connection={},
        path="OdpisAktualny",
        renamed=(("miejscowosc", "miejscowosc"),),
        vanishing=(("nazwa", "nazwa"), ("nip", "nip")),
        retyped=(("nazwa", "nazwa", "number", "number"), ("miejscowosc", "miejscowosc", "object", "object")),
        one="OdpisAktualny/{question}",
        small_pages=("onefold.systems.krs.PER_PAGE", 8),
        cannot_have={
            "expired_token": "the register asks for no sign-in",
            "repeat_page": "every answer is one company: there are no pages at the source",
        },
    ),
    "regon.entity": Case(
        connection={"password": "abcde12345abcde12345"},
        path="DaneSzukajPodmioty",
        renamed=(("Nazwa", "Nazwa"), ("Regon", "Regon")),
        vanishing=(),
        retyped=(("Nazwa", "Nazwa", "object", "object"),),
        ended="_payload ->> 'DataZakonczeniaDzialalnosci' <> ''",
        # After the contract, a login and two searches; the service must also say why its answer was empty.
        expiry={"path": "", "after": 4, "times": 2},
        cannot_have={"repeat_page": "every answer is one batch of companies: there are no pages at the source"},
    ),
}

EXEMPT: dict[str, str] = {}
"""Streams of the catalogue that the suite does not take, each with the reason in a sentence."""


@dataclass(frozen=True)
class Listed:
    """A stream under acceptance."""

    name: str

    @property
    def case(self) -> Case:
        return CASES[self.name]

    @property
    def system(self) -> System:
        return CATALOG.systems[self.name.partition(".")[0]]

    @property
    def stream_name(self) -> str:
        return self.name.partition(".")[2]

    @property
    def stream(self) -> Stream:
        return self.system.streams[self.stream_name]

    @property
    def staging(self) -> str:
        return f"staging.{self.name.replace('.', '__')}"

    @property
    def naming(self) -> tuple[Listed, ...]:
        """The streams that must be loaded first, because this one is asked about what they name."""
        return LISTING if self.stream.lookup else ()

    def endpoint(self, sandbox_url: str) -> Endpoint:
        """The stand-in's address and login."""
        return Endpoint(f"{sandbox_url}/{self.system.system}", **self.case.connection, extra=RATE)


def catalogued() -> set[str]:
    """Every stream of the catalogue as system.stream."""
    return {f"{name}.{stream}" for name, system in CATALOG.systems.items() for stream in system.streams}


ALL = tuple(Listed(name) for name in sorted(catalogued() & CASES.keys()))
LISTING = tuple(listed for listed in ALL if not listed.stream.lookup)
LOOKUPS = tuple(listed for listed in ALL if listed.stream.lookup)

each_stream = pytest.mark.parametrize("listed", ALL, ids=lambda listed: listed.name)
each_lookup = pytest.mark.parametrize("listed", LOOKUPS, ids=lambda listed: listed.name)


def each(values: Callable[[Case], tuple]) -> pytest.MarkDecorator:
    """Parametrises a test over the streams and what `values` gives of each one's case."""
    pairs = [(listed, value) for listed in ALL for value in values(listed.case)]
    return pytest.mark.parametrize(
        ("listed", "given"), pairs, ids=[f"{listed.name}-{value[0]}-{value[-1]}" for listed, value in pairs]
    )
