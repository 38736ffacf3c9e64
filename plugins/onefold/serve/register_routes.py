"""Endpoints: what single registers say of a company."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from onefold.serve.askers import AccountQuestion, account_key, today_in_warsaw
from onefold.serve.krs_extract import bodies, capital, proxies, shareholders
from onefold.serve.models import (
    AccountCheck,
    AccountCheckIn,
    Capital,
    EuVat,
    Extract,
    History,
    Krs,
    Nip,
    Owners,
    RegonReport,
    Relations,
    Representation,
    VatEntry,
    ViesAnswer,
)
from onefold.serve.numbers import is_account, is_nip
from onefold.serve.problem import Problem
from onefold.serve.question import Answer, Question
from onefold.serve.services import Asking, ForCompanies, ForPeople, problems
from onefold.serve.strict_route import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute)
_SHARED = "select pesel, krs from ops.api_companies_of_owners(%s)"
Day = Annotated[date | None, Query(description="the register's day; default: today in Warsaw")]


@router.get(
    "/companies/krs/{krs}/extract", name="extract", response_model=Extract, responses=problems(404), tags=["KRS"]
)
async def extract(krs: Krs, asking: ForCompanies) -> Response:
    """The full current extract of the court register, in its own words."""
    answer = await _extract(asking, krs)
    return asking.answer(_about(asking, answer) | {"krs": krs, "extract": _records(asking, answer)[0]["record"]})


@router.get(
    "/companies/krs/{krs}/history", name="history", response_model=History, responses=problems(404), tags=["KRS"]
)
async def history(krs: Krs, asking: ForCompanies) -> Response:
    """What each entry of the court register brought and took away, the oldest first."""
    answer = _found(await asking.services.facts.answer(Question("krs", "history", krs), asking.client.name))
    return asking.answer(_about(asking, answer) | {"krs": krs, "entries": _records(asking, answer)})


@router.get(
    "/companies/krs/{krs}/representation", name="representation", response_model=Representation,
    responses=problems(404), tags=["KRS"],
)  # fmt: skip
async def representation(krs: Krs, asking: ForCompanies) -> Response:
    """Who represents the company, and how."""
    return asking.answer(await representation_of(asking, krs))


@router.get(
    "/companies/krs/{krs}/capital", name="capital", response_model=Capital, responses=problems(404), tags=["KRS"]
)
async def share_capital(krs: Krs, asking: ForCompanies) -> Response:
    """The share capital, and the issues of shares."""
    return asking.answer(await capital_of(asking, krs))


@router.get("/companies/krs/{krs}/owners", name="owners", response_model=Owners, responses=problems(404), tags=["CRBR"])
async def owners(krs: Krs, asking: ForCompanies) -> Response:
    """The beneficial owners and why they are; who they are needs the scope people."""
    return asking.answer(await owners_of(asking, krs))


@router.get(
    "/companies/krs/{krs}/relations", name="relations", response_model=Relations, responses=problems(404), tags=["CRBR"]
)
async def relations(krs: Krs, asking: ForPeople) -> Response:
    """Who owns the company, who represents it, and which companies have an owner in common with it."""
    asking.shows_people()
    answer = await _extract(asking, krs)
    record = answer.people[0]["record"]
    owning = await owners_of(asking, krs)
    named = {each["pesel"]: each for each in owning["owners"] if each.get("pesel")}
    found = await asking.services.database.writer.fetch(_SHARED, (list(named),))
    shared = [
        {
            "name": f"{each.get('first_name') or ''} {each.get('last_name') or ''}".strip(),
            "companies": [row["krs"] for row in found if row["pesel"] == pesel and row["krs"] != krs],
        }
        for pesel, each in named.items()
    ]
    return asking.answer(
        _times(answer)
        | {
            "krs": krs,
            "owners": owning["owners"],
            "shareholders": shareholders(record),
            "representatives": bodies(record),
            "shared_owners": [each for each in shared if each["companies"]],
        }
    )


@router.get("/vat/{nip}", name="vat_entry", response_model=VatEntry, responses=problems(404), tags=["VAT"])
async def vat_entry(nip: Nip, asking: ForCompanies, day: Day = None) -> Response:
    """The entry in the list of VAT payers on a day, with the register's number of the request as proof."""
    return asking.answer(await vat_of(asking, nip, _day(day)))


@router.post(
    "/vat/{nip}/account-checks",
    name="account_check",
    response_model=AccountCheck,
    responses=problems(404),
    tags=["VAT"],
)
async def account_check(nip: Nip, check: AccountCheckIn, asking: ForCompanies) -> Response:
    """Whether a bank account was the taxpayer's on a day. Only the register can say: it is always asked."""
    day = _day(check.day)
    told: dict[str, Any] = {"assigned": False, "request_id": None, "asked_at": datetime.now(UTC)}
    if is_account(check.account) and is_nip(nip):  # else nobody can have it
        question = AccountQuestion("white_list", "account", account_key(nip, check.account, day), check.account)
        answer = await asking.services.facts.answer(question, asking.client.name)
        assigned = answer.content[0]["assigned"]
        told = {"assigned": assigned, "request_id": answer.proof, "asked_at": answer.answered_at}
    return asking.answer({"nip": nip, "day": day} | told)


@router.get("/vies/{number}", name="vies", response_model=ViesAnswer, responses=problems(), tags=["VAT"])
async def vies(number: EuVat, asking: ForCompanies) -> Response:
    """Whether the member state confirms a VAT number for trade within the Union."""
    answer = await asking.services.facts.answer(Question("vies", "number", number), asking.client.name)
    shown, record = (answer.content or [{}])[0], (answer.people or [{}])[0].get("record", {})
    attributes = shown.get("attributes", {})
    if asking.client.sees_people and record:
        asking.shows_people()
    name = attributes.get("legal_name") or (record.get("name") if asking.client.sees_people else None)
    return asking.answer(
        _times(answer)
        | {
            "number": number,
            "valid": record.get("valid", False if answer.outcome == "not_found" else None),
            "name": name,
            "address": record.get("address") if asking.client.sees_people else None,
            "request_id": answer.proof or record.get("requestIdentifier") or None,
        }
    )


@router.get("/regon/{nip}", name="regon_report", response_model=RegonReport, responses=problems(404), tags=["REGON"])
async def regon_report(nip: Nip, asking: ForCompanies) -> Response:
    """The report of the register of Statistics Poland, with the activities (PKD)."""
    _require_nip(nip)
    answer = _found(await asking.services.facts.answer(Question("regon", "report", nip), asking.client.name))
    return asking.answer(_about(asking, answer) | {"nip": nip, "entities": _records(asking, answer)})


async def representation_of(asking: Asking, krs: str) -> dict[str, Any]:
    """Representation."""
    answer = await _extract(asking, krs)
    record = answer.people[0]["record"]
    sees = asking.client.sees_people
    told = [each | {"members": each["members"] if sees else []} for each in bodies(record)]
    return _about(asking, answer) | {"krs": krs, "bodies": told, "proxies": proxies(record) if sees else []}


async def capital_of(asking: Asking, krs: str) -> dict[str, Any]:
    """Capital: no person stands there."""
    answer = await _extract(asking, krs)
    return _times(answer) | {"krs": krs} | capital(answer.content[0]["record"])


async def owners_of(asking: Asking, krs: str) -> dict[str, Any]:
    """Owners."""
    answer = await asking.services.facts.answer(Question("crbr", "beneficiary", krs), asking.client.name)
    told = [{**each["attributes"]} for each in answer.content]
    if asking.client.sees_people:
        told = [{**shown, **hidden["attributes"]} for shown, hidden in zip(told, answer.people, strict=True)]
    return _about(asking, answer) | {"krs": krs, "outcome": answer.outcome, "owners": told}


async def vat_of(asking: Asking, nip: str, day: date) -> dict[str, Any]:
    """VatEntry. Raises Problem 503 where the register of that day cannot be asked and was not asked before."""
    _require_nip(nip)
    question = Question("white_list", "day", f"{nip}/{day.isoformat()}")
    answer = await asking.services.facts.answer(question, asking.client.name)
    shown = answer.content[0]["attributes"] if answer.content else {}
    accounts = None
    if asking.client.sees_people and answer.people:
        asking.shows_people()
        accounts = answer.people[0]["record"].get("accountNumbers") or []
    return {
        "nip": nip,
        "day": day,
        "outcome": answer.outcome,
        "status": shown.get("vat_status", "not_registered" if answer.outcome == "not_found" else None),
        "accounts": accounts,
        "request_id": answer.proof,
        "asked_at": answer.answered_at,
        "stale": not answer.is_fresh(),
    }


async def _extract(asking: Asking, krs: str) -> Answer:
    answer = await asking.services.facts.answer(Question("krs", "extract", krs), asking.client.name)
    return _found(answer)


def _found(answer: Answer) -> Answer:
    """Raises Problem 404 where the register has said that there is none."""
    if answer.outcome == "not_found":
        raise Problem(404, "not-found", "The register has no company with this number.")
    return answer


def _records(asking: Asking, answer: Answer) -> list[dict[str, Any]]:
    return answer.people if asking.client.sees_people else answer.content


def _about(asking: Asking, answer: Answer) -> dict[str, Any]:
    """When the register said it, and whether what is about people is left out; what is shown of them is recorded."""
    if asking.client.sees_people:
        asking.shows_people()
    return _times(answer) | {"people_hidden": not asking.client.sees_people}


def _times(answer: Answer) -> dict[str, Any]:
    return {"as_of": answer.answered_at, "stale": not answer.is_fresh()}


def _require_nip(nip: str) -> None:
    if not is_nip(nip):
        raise Problem(404, "not-found", "No company can have this number: its check digit is wrong.")


def _day(day: date | None) -> date:
    """Raises Problem 404 for a day whose register cannot be asked: it began on 1 September 2019, and ends today."""
    today = today_in_warsaw()
    if day is not None and not date(2019, 9, 1) <= day <= today:
        raise Problem(404, "not-found", f"The register has the days from 2019-09-01 to {today.isoformat()}.")
    return day or today
