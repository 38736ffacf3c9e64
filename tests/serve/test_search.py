"""Companies by a part of their name, town, activity and status."""

from __future__ import annotations

import pytest

from tests.serve.conftest import Api
from tests.serve.world import golden, publish

NAMES = {
    "Żółta Łódź Sp. z o.o.": ("Łódź", "62.10.B", "active"),
    "Żółta Łódź Bis Sp. z o.o.": ("Gdańsk", "62.20.Z", "liquidation"),
    "Zakłady Młynarskie S.A.": ("Gdańsk", "10.61.Z", "active"),
}


@pytest.fixture(scope="module")
def found(api: Api) -> Api:
    base = golden(api.legal_person)
    import uuid

    publish(
        api.url,
        [
            base
            | {"company_id": uuid.uuid4(), "legal_name": name, "town": town, "main_activity": pkd, "status": status}
            | {"krs": f"000000000{place}", "tax_id_pl": None, "regon": None, "eu_vat": None}
            for place, (name, (town, pkd, status)) in enumerate(NAMES.items(), start=1)
        ],
    )
    api.http.portal.call(api.http.app.state.follow)
    return api


def names(api: Api, **wanted: str) -> set[str]:
    answer = api.http.get("/v1/companies", params=wanted, headers=api.companies)
    assert answer.status_code == 200, answer.text
    return {each["legal_name"] for each in answer.json()["items"]}


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("zolta lodz", {"Żółta Łódź Sp. z o.o.", "Żółta Łódź Bis Sp. z o.o."}),
        ("ŁTA ŁÓ", {"Żółta Łódź Sp. z o.o.", "Żółta Łódź Bis Sp. z o.o."}),
        ("żółta łódź bis spółka z ograniczoną odpowiedzialnością", {"Żółta Łódź Bis Sp. z o.o."}),
        ("zakłady młynarskie spółka akcyjna", {"Zakłady Młynarskie S.A."}),
        ("mlynarskie s.a.", {"Zakłady Młynarskie S.A."}),
        ("łódź żółta", {"Żółta Łódź Sp. z o.o.", "Żółta Łódź Bis Sp. z o.o."}),
        ("nobody has this name", set()),
        ("100%_", set()),
    ],
)
def test_a_part_of_the_name_is_found_in_any_spelling(found: Api, q: str, expected: set[str]) -> None:
    assert names(found, q=q) == expected


def test_town_activity_and_status_narrow_the_search(found: Api) -> None:
    assert names(found, q="zolta", town="gdansk") == {"Żółta Łódź Bis Sp. z o.o."}
    assert names(found, q="zolta", pkd="62") == {"Żółta Łódź Sp. z o.o.", "Żółta Łódź Bis Sp. z o.o."}
    assert names(found, pkd="10.61.Z") == {"Zakłady Młynarskie S.A."}
    assert names(found, q="zolta", status="liquidation") == {"Żółta Łódź Bis Sp. z o.o."}


def test_pages_give_each_company_once(found: Api) -> None:
    seen, cursor = [], None
    while True:
        wanted = {"q": "sp", "limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = found.http.get("/v1/companies", params={**wanted, "q": "sp. z o.o."}, headers=found.all).json()
        seen += [each["company_id"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    expected = found.rows("select count(*) from ops.api_company where name_form_people like '%SPZOO%'")[0][0]
    assert len(seen) == len(set(seen)) == expected > 3


def test_sole_traders_are_found_with_the_scope_people_only(found: Api) -> None:
    trader = found.sole_trader
    word = trader.name.split()[-1]
    assert trader.name not in names(found, q=word)
    items = found.http.get("/v1/companies", params={"q": word}, headers=found.all).json()["items"]
    assert trader.name in {each["legal_name"] for each in items}


@pytest.mark.parametrize("query", ["q=zolta&nmae=x", "q=zolta&q=lodz", "q=a", "limit=0&q=zolta"])
def test_what_cannot_be_meant_is_refused_with_a_problem(found: Api, query: str) -> None:
    answer = found.http.get(f"/v1/companies?{query}", headers=found.companies)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
