"""Salesforce's wire contract, over real HTTP."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from sandbox.process import Sandbox, running

Ask = Callable[..., requests.Response]
ALL = "SELECT Id, Name, IsDeleted, SystemModstamp FROM Account ORDER BY SystemModstamp, Id"


def read_all(ask: Ask, soql: str, everything: bool = True) -> list[dict[str, object]]:
    answer = ask(soql, everything).json()
    rows = answer["records"]
    while not answer["done"]:
        answer = ask(answer["nextRecordsUrl"]).json()
        rows += answer["records"]
    assert len(rows) == answer["totalSize"]
    return rows


def truth_of(sandbox: Sandbox, stream: str) -> dict[str, dict[str, object]]:
    records = sandbox.truth()["records"]
    return {row["key"]: row for row in records if (row["system"], row["stream"]) == ("salesforce", stream)}


def test_query_all_gives_every_account_and_query_hides_the_deleted(unharmed: Sandbox, salesforce: Ask) -> None:
    unharmed.control("advance", deletions=10)
    truth = truth_of(unharmed, "account")
    assert {row["Id"]: row["IsDeleted"] for row in read_all(salesforce, ALL)} == {
        key: row["deleted"] for key, row in truth.items()
    }
    visible = {row["Id"] for row in read_all(salesforce, ALL, everything=False)}
    assert visible == {key for key, row in truth.items() if not row["deleted"]}
    assert len(visible) < len(truth)


def test_pages_are_a_snapshot_that_a_change_in_between_does_not_disturb(unharmed: Sandbox, salesforce: Ask) -> None:
    unharmed.control("advance", new=150)
    whole = [row["Id"] for row in read_all(salesforce, ALL)]
    first = salesforce(ALL).json()
    assert not first["done"]
    assert first["nextRecordsUrl"].startswith("/services/data/v62.0/query/01g")
    unharmed.control("advance", changes=60, deletions=10, new=20)
    second = salesforce(first["nextRecordsUrl"]).json()
    assert [row["Id"] for row in first["records"] + second["records"]] == whole


def test_a_window_on_the_stamp_is_half_open(salesforce: Ask) -> None:
    rows = read_all(salesforce, ALL)
    middle = rows[len(rows) // 2]["SystemModstamp"]
    literal = str(middle).replace(".000+0000", "Z")
    template = "SELECT Id FROM Account WHERE SystemModstamp {} {}"
    before = read_all(salesforce, template.format("<", literal))
    after = read_all(salesforce, template.format(">=", literal))
    assert len(before) + len(after) == len(rows)
    assert str(middle) in {row["SystemModstamp"] for row in rows[len(before) :]}


def test_a_row_has_its_attributes_and_only_the_fields_asked_for(salesforce: Ask) -> None:
    row = salesforce("SELECT Id, Name FROM Account LIMIT 1").json()["records"][0]
    assert set(row) == {"attributes", "Id", "Name"}
    expected = {"type": "Account", "url": f"/services/data/v62.0/sobjects/Account/{row['Id']}"}
    assert row["attributes"] == expected


def test_conditions_compare_text_booleans_and_nulls(salesforce: Ask) -> None:
    euros = read_all(salesforce, "SELECT CurrencyIsoCode FROM Account WHERE CurrencyIsoCode = 'EUR'")
    assert euros
    assert {row["CurrencyIsoCode"] for row in euros} == {"EUR"}
    assert read_all(salesforce, "SELECT Id FROM Account WHERE IsDeleted = true AND IsDeleted = false") == []
    total = salesforce("SELECT COUNT() FROM Account").json()["totalSize"]
    named = read_all(salesforce, "SELECT Id FROM Account WHERE NIP__c != null")
    assert 0 < len(named) < total


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Foo FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Lead", "INVALID_TYPE"),
        ("SELECT Id FROM Account WHERE Name = 'a' OR Name = 'b'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Id NOT IN ('a')", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE SystemModstamp > '2026-01-01T00:00:00Z'", "INVALID_FIELD"),
        ("SELECT FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account LIMIT", "MALFORMED_QUERY"),
    ],
)
def test_what_it_does_not_understand_it_refuses(salesforce: Ask, soql: str, code: str) -> None:
    response = salesforce(soql)
    assert response.status_code == 400
    assert response.json()[0]["errorCode"] == code


def test_a_cursor_that_was_never_handed_out_is_refused(salesforce: Ask) -> None:
    response = salesforce("/services/data/v62.0/query/01gnonsense-200")
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_every_answer_says_how_much_of_the_day_is_used(salesforce: Ask) -> None:
    used = [int(salesforce(ALL).headers["Sforce-Limit-Info"].split("=")[1].split("/")[0]) for _ in "ab"]
    assert used[1] == used[0] + 1


def test_without_a_good_token_the_session_is_invalid(unharmed: Sandbox) -> None:
    url = f"{unharmed.url}/salesforce/services/data/v62.0/query"
    for headers in ({}, {"Authorization": "Bearer 00Dwrong"}):
        response = requests.get(url, params={"q": ALL}, headers=headers, timeout=30)
        assert response.status_code == 401
        expected = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
        assert response.json() == expected


def test_client_credentials_come_in_the_form_or_as_basic_and_must_be_right(unharmed: Sandbox) -> None:
    url, grant = f"{unharmed.url}/salesforce/services/oauth2/token", {"grant_type": "client_credentials"}
    basic = requests.post(url, data=grant, auth=("onefold", "sandbox-secret"), timeout=30)
    assert basic.json()["token_type"] == "Bearer"
    assert basic.json()["instance_url"] == f"{unharmed.url}/salesforce"
    wrong = requests.post(url, data=grant, auth=("onefold", "guess"), timeout=30)
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_client")


def test_a_cursor_outlives_the_process_and_the_changes_in_between(tmp_path: Path) -> None:
    def ask(sandbox: Sandbox, path: str, **params: str) -> dict[str, object]:
        base = f"{sandbox.url}/salesforce"
        grant = {"grant_type": "client_credentials"}
        token = requests.post(
            f"{base}/services/oauth2/token", data=grant, auth=("onefold", "sandbox-secret"), timeout=30
        ).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(f"{base}{path}", params=params, headers=headers, timeout=30).json()

    small_pages = {"SANDBOX_SF_BATCH": "50"}
    with running(tmp_path, 100, environment=small_pages) as first:
        answer = ask(first, "/services/data/v62.0/queryAll", q=ALL)
        seen = [row["Id"] for row in answer["records"]]
        expected = truth_of(first, "account").keys()
        first.control("advance", changes=30, deletions=5, new=10)
        first.kill()
    with running(tmp_path, 100, environment=small_pages) as second:
        while not answer["done"]:
            answer = ask(second, answer["nextRecordsUrl"])
            seen += [row["Id"] for row in answer["records"]]
    assert len(seen) == len(expected)
    assert set(seen) == expected


@pytest.mark.parametrize(
    ("name", "stream"),
    [
        ("Contact", "contact"),
        ("Opportunity", "opportunity"),
        ("Product2", "product"),
        ("Order", "order"),
        ("OrderItem", "order_item"),
    ],
)
def test_every_object_gives_what_the_truth_names(unharmed: Sandbox, salesforce: Ask, name: str, stream: str) -> None:
    unharmed.control("advance", changes=9, deletions=6, new=3)
    rows = read_all(salesforce, f"SELECT Id, IsDeleted FROM {name}")  # noqa: S608 - our own names
    truth = truth_of(unharmed, stream)
    assert {row["Id"]: row["IsDeleted"] for row in rows} == {key: row["deleted"] for key, row in truth.items()}
    assert any(row["deleted"] for row in truth.values())


def test_an_item_has_its_orders_number_within_its_order(salesforce: Ask) -> None:
    row = salesforce("SELECT Id, OrderId, Order.OrderNumber FROM OrderItem LIMIT 1").json()["records"][0]
    assert row["Order"]["attributes"]["url"].endswith(f"/Order/{row['OrderId']}")
    orders = {order["Id"]: order["OrderNumber"] for order in read_all(salesforce, "SELECT Id, OrderNumber FROM Order")}
    assert row["Order"]["OrderNumber"] == orders[row["OrderId"]]


def test_a_query_job_is_made_waited_for_and_fetched_part_by_part(unharmed: Sandbox, salesforce: Ask) -> None:
    unharmed.control("advance", deletions=5)
    soql = "SELECT Id, Name, CreditLimit__c, IsDeleted, SystemModstamp FROM Account"
    made = salesforce("/services/data/v60.0/jobs/query", job={"operation": "queryAll", "query": soql}).json()
    assert (made["state"], made["object"], made["contentType"]) == ("UploadComplete", "Account", "CSV")
    address = f"/services/data/v60.0/jobs/query/{made['id']}"
    early = salesforce(f"{address}/results")
    assert (early.status_code, early.json()[0]["errorCode"]) == (412, "JOB_NOT_COMPLETE")
    assert [salesforce(address).json()["state"] for _ in "ab"] == ["InProgress", "JobComplete"]
    assert salesforce(f"{address.replace('v60.0', 'v62.0')}/results").status_code == 409
    lines, locator = [], ""
    while locator != "null":
        part = salesforce(f"{address}/results?maxRecords=60" + (f"&locator={locator}" if locator else ""))
        assert part.headers["Content-Type"].startswith("text/csv")
        read = list(csv.DictReader(part.text.splitlines()))
        assert len(read) == int(part.headers["Sforce-NumberOfRecords"])
        lines, locator = lines + read, part.headers["Sforce-Locator"]
    truth = truth_of(unharmed, "account")
    assert {line["Id"]: line["IsDeleted"] == "true" for line in lines} == {k: r["deleted"] for k, r in truth.items()}
    assert all(line["SystemModstamp"].endswith(".000Z") for line in lines)


@pytest.mark.parametrize("soql", ["SELECT Foo FROM Account", "SELECT COUNT() FROM Account", "nonsense"])
def test_a_job_for_a_query_that_cannot_be_is_refused(salesforce: Ask, soql: str) -> None:
    refused = salesforce("/services/data/v60.0/jobs/query", job={"operation": "query", "query": soql})
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "API_ERROR")
