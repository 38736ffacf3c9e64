"""Every fault does what it says, to as many requests as it says, and is gone when cleared."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import requests

from sandbox.faults import damage
from sandbox.process import Sandbox

Ask = Callable[..., requests.Response]
ALL = "SELECT Id, Name FROM Account ORDER BY Id"


def hits(sandbox: Sandbox) -> list[int]:
    faults = requests.get(f"{sandbox.url}/control/faults", timeout=30).json()["faults"]
    return [fault["hits"] for fault in faults]


def test_a_status_strikes_as_often_as_asked_after_as_many_as_asked(unharmed: Sandbox, salesforce: Ask) -> None:
    unharmed.control("faults", system="salesforce", kind="status", code=503, times=2, after=1)
    assert [salesforce(ALL).status_code for _ in range(5)] == [200, 503, 503, 200, 200]
    assert hits(unharmed) == [2]


def test_a_path_limits_a_fault_and_clearing_ends_it(unharmed: Sandbox, sap: Ask) -> None:
    fault = {"system": "sap", "kind": "status", "code": 500, "times": -1}
    unharmed.control("faults", path="A_BusinessPartnerAddress", **fault)
    assert sap().status_code == 200
    assert [sap("A_BusinessPartnerAddress").status_code for _ in range(3)] == [500] * 3
    requests.delete(f"{unharmed.url}/control/faults", timeout=30)
    assert sap("A_BusinessPartnerAddress").status_code == 200


def test_a_delay_makes_the_answer_late_but_right(unharmed: Sandbox, sap: Ask) -> None:
    unharmed.control("faults", system="sap", kind="delay", seconds=0.4)
    late = sap()
    assert late.elapsed.total_seconds() >= 0.4
    assert late.json() == sap().json()


def test_a_cut_body_promises_more_than_it_delivers(unharmed: Sandbox, sap: Ask) -> None:
    unharmed.control("faults", system="sap", kind="cut_body", fraction=0.3)
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        sap()
    assert sap().status_code == 200


def test_an_html_page_comes_with_status_200(unharmed: Sandbox, sap: Ask) -> None:
    unharmed.control("faults", system="sap", kind="html")
    response = sap()
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")


def test_a_repeated_page_comes_twice_and_then_the_rest(unharmed: Sandbox, salesforce: Ask) -> None:
    unharmed.control("advance", new=250)
    whole = []
    answer = salesforce(ALL).json()
    whole.append([row["Id"] for row in answer["records"]])
    while not answer["done"]:
        answer = salesforce(answer["nextRecordsUrl"]).json()
        whole.append([row["Id"] for row in answer["records"]])
    unharmed.control("faults", system="salesforce", kind="repeat_page")
    answer = salesforce(ALL).json()
    pages = [[row["Id"] for row in answer["records"]]]
    while not answer["done"]:
        answer = salesforce(answer["nextRecordsUrl"]).json()
        pages.append([row["Id"] for row in answer["records"]])
    assert sum(left == right for left, right in pairwise(pages)) == 1
    assert [page for i, page in enumerate(pages) if i == 0 or page != pages[i - 1]] == whole


def test_an_expired_token_is_over_for_good(unharmed: Sandbox, salesforce: Ask) -> None:
    unharmed.control("faults", system="salesforce", kind="expired_token")
    for _ in range(2):
        response = salesforce(ALL)
        assert (response.status_code, response.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")


@pytest.mark.parametrize("retry_after", [None, 7])
def test_a_rate_limit_comes_in_each_systems_shape(
    unharmed: Sandbox, salesforce: Ask, sap: Ask, retry_after: int | None
) -> None:
    for system in ("salesforce", "sap"):
        unharmed.control("faults", system=system, kind="rate_limit", retry_after=retry_after)
    refused, throttled = salesforce(ALL), sap()
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert throttled.status_code == 429
    expected = None if retry_after is None else str(retry_after)
    assert throttled.headers.get("Retry-After") == expected


def test_a_changed_contract_reaches_nested_objects(unharmed: Sandbox, sap: Ask) -> None:
    for fault in (
        {"kind": "rename_field", "field": "BPTaxNumber", "to": "TaxNumber"},
        {"kind": "retype_field", "field": "BusinessPartnerIsBlocked", "to": "string"},
        {"kind": "drop_field", "field": "SearchTerm1"},
    ):
        unharmed.control("faults", system="sap", **fault)
    row = next(
        row
        for row in sap(expand="to_BusinessPartnerTax").json()["d"]["results"]
        if row["to_BusinessPartnerTax"]["results"]
    )
    assert "TaxNumber" in row["to_BusinessPartnerTax"]["results"][0]
    assert row["BusinessPartnerIsBlocked"] in ("true", "false")
    assert "SearchTerm1" not in row
    assert hits(unharmed) == [1, 1, 1]


def test_a_byte_order_mark_stands_before_the_json(unharmed: Sandbox, sap: Ask) -> None:
    unharmed.control("faults", system="sap", kind="bom")
    assert sap().content.startswith(b"\xef\xbb\xbf{")


def test_xml_inside_a_string_suffers_like_plain_xml() -> None:
    plain = b'<a:Regon xmlns:a="x">1</a:Regon><Regon2>2</Regon2>'
    escaped = b"<r>&lt;Regon&gt;1&lt;/Regon&gt;</r>"
    assert damage.rename_field(plain, "Regon", "Nr") == b'<a:Nr xmlns:a="x">1</a:Nr><Regon2>2</Regon2>'
    assert damage.rename_field(escaped, "Regon", "Nr") == b"<r>&lt;Nr&gt;1&lt;/Nr&gt;</r>"
    assert damage.drop_field(escaped, "Regon") == b"<r></r>"
    assert damage.retype_field(escaped, "Regon", "string") == b"<r>&lt;Regon&gt;nie dotyczy&lt;/Regon&gt;</r>"


def test_regon_can_answer_as_mtom(unharmed: Sandbox) -> None:
    unharmed.control("faults", system="regon", kind="mtom", framing="lf")
    url = f"{unharmed.url}/regon/wsBIR/UslugaBIRzewnPubl.svc"
    headers = {"Content-Type": "application/soap+xml; charset=utf-8"}
    response = requests.post(url, data=b"<nonsense/>", headers=headers, timeout=30)
    assert response.headers["content-type"].startswith("multipart/related")
    assert b"\r\n" not in response.content.split(b"<", 2)[0]
