"""Endpoints: a company by number, and the search."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from onefold.serve.clients import Client
from onefold.serve.companies import Company, NumberKind
from onefold.serve.models import CompanyOut, EuVat, FoundPage, Krs, Nip, Regon
from onefold.serve.search import Wanted, search
from onefold.serve.services import Asking, ForCompanies, problems
from onefold.serve.strict_route import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["Companies"])
Town = Annotated[
    str | None, Query(min_length=2, max_length=100, pattern="[0-9A-Za-zÀ-ž]", description="the seat's town, whole")
]
Pkd = Annotated[
    str | None, Query(pattern="^[0-9]{2}(\\.[0-9]{2}(\\.[A-Z])?)?$", description="main activity: 62 or 62.10.B")
]
STATUSES = "^(active|suspended|restructuring|liquidation|bankruptcy|struck_off|inactive)$"


@router.get("/companies/nip/{nip}", name="company_by_nip", response_model=CompanyOut, responses=problems(404))
async def by_nip(nip: Nip, asking: ForCompanies) -> Response:
    """A company by its tax number (NIP)."""
    return await _company(asking, "nip", nip)


@router.get("/companies/krs/{krs}", name="company_by_krs", response_model=CompanyOut, responses=problems(404))
async def by_krs(krs: Krs, asking: ForCompanies) -> Response:
    """A company by its number in the court register (KRS)."""
    return await _company(asking, "krs", krs)


@router.get("/companies/regon/{regon}", name="company_by_regon", response_model=CompanyOut, responses=problems(404))
async def by_regon(regon: Regon, asking: ForCompanies) -> Response:
    """A company by its statistical number (REGON)."""
    return await _company(asking, "regon", regon)


@router.get("/companies/vat/{vat}", name="company_by_eu_vat", response_model=CompanyOut, responses=problems(404))
async def by_vat(vat: EuVat, asking: ForCompanies) -> Response:
    """A company by its VAT number in the European Union."""
    return await _company(asking, "vat", vat)


@router.get("/companies", name="search_companies", response_model=FoundPage, responses=problems())
async def search_companies(
    asking: ForCompanies,
    q: Annotated[
        str | None,
        Query(
            min_length=2,
            max_length=200,
            pattern="[0-9A-Za-zÀ-ž]",
            description="a part of the name; capitals, Polish letters and signs do not matter, and of the legal form "
            "the short and the long spelling are one",
        ),
    ] = None,
    town: Town = None,
    pkd: Pkd = None,
    status: Annotated[str | None, Query(pattern=STATUSES)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$", description="`next` of the page before")] = None,
) -> Response:
    """Companies by a part of the name, town, activity and status; pages in a fixed order. Sole traders are
    found with the scope people only."""
    found = await search(asking.services.database, asking.client, Wanted(q, town, pkd, status, limit, cursor))
    if asking.client.sees_people:
        asking.shows_people()
    return asking.answer(found)


async def _company(asking: Asking, kind: NumberKind, number: str) -> Response:
    company = await asking.services.companies.find(kind, number, asking.client)
    return asking.answer(shown(asking, company))


def shown(asking: Asking, company: Company) -> dict[str, Any]:
    """The company as CompanyOut. That personal data is shown, to a client that may see it, is recorded."""
    asking.about.company_id = company.company_id
    if shows_people(asking.client, company, asking.services.rules.always_personal):
        asking.shows_people()
    return as_company(company)


def as_company(company: Company) -> dict[str, Any]:
    """CompanyOut."""
    return {
        "company_id": company.company_id,
        "natural_person": company.natural_person,
        "hidden": company.hidden,
        "as_of": company.as_of,
        "stale": company.stale,
        "company": company.attributes,
        "sources": [
            {
                "register": each.register,
                "outcome": each.outcome,
                "as_of": each.as_of,
                "stale": each.stale,
                "proof": each.proof,
            }
            for each in company.sources
        ],
    }


def shows_people(client: Client, company: Company, always: list[str]) -> bool:
    """Whether personal values of the company are shown to the client."""
    said = any(company.attributes.get(name) is not None for name in always)
    return client.sees_people and (company.natural_person or said)
