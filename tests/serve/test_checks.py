"""Bulk checks and counterparty reports."""

from __future__ import annotations

from tests.serve.conftest import Api


def post(api: Api, key: str, nips: list[str]) -> object:
    return api.http.post("/v1/checks", json={"nips": nips}, headers=api.companies | {"Idempotency-Key": key})


def test_up_to_fifty_numbers_are_answered_at_once_and_the_same_key_is_the_same_check(own_api: Api) -> None:
    nips = [each.nip for each in own_api.published[:5]] + ["5272889007"]
    first, again = (post(own_api, "check-0001", nips) for _ in range(2))
    assert (first.status_code, first.json()["state"]) == (200, "done")
    outcomes = [each["outcome"] for each in first.json()["results"]]
    assert outcomes == ["found"] * 5 + ["not_found"]
    assert again.json() == first.json()
    assert post(own_api, "check-0001", nips[:2]).status_code == 409
    other = own_api.http.get(first.headers["location"], headers=own_api.key("companies", client="other"))
    assert other.status_code == 404, "a check is its client's own"


def test_more_than_fifty_are_worked_off_in_the_background(own_api: Api) -> None:
    nips = [each.nip for each in own_api.published] * 3
    made = post(own_api, "check-0002", nips[:60])
    assert (made.status_code, made.json()["state"], made.json()["results"]) == (202, "queued", None)
    own_api.http.portal.call(own_api.http.app.state.services.checks.work)
    done = own_api.http.get(made.headers["location"], headers=own_api.companies).json()
    assert (done["state"], {each["outcome"] for each in done["results"]}) == ("done", {"found"})
    assert [each["nip"] for each in done["results"]] == nips[:60]


def test_a_report_has_what_every_register_says_and_names_what_is_missing(own_api: Api) -> None:
    company = own_api.legal_person
    report = own_api.http.get(f"/v1/companies/nip/{company.nip}/report", headers=own_api.all).json()
    assert report["missing"] == []
    assert report["representation"]["bodies"] and report["capital"]["capital"] and report["owners"]["owners"]
    pdf = own_api.http.get(f"/v1/companies/nip/{company.nip}/report.pdf", headers=own_api.all)
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    own_api.registers.fault("crbr", "status", code=503, times=-1)
    own_api.rows("delete from ops.api_answer where system = 'crbr'")
    report = own_api.http.get(f"/v1/companies/nip/{company.nip}/report", headers=own_api.all).json()
    assert report["owners"] is None
    assert [each.partition(":")[0] for each in report["missing"]] == ["owners"]
    trader = own_api.http.get(f"/v1/companies/nip/{own_api.sole_trader.nip}/report", headers=own_api.companies)
    assert own_api.sole_trader.name not in trader.text
