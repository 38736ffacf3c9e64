"""Salesforce's objects as targets, against the stand-in: what each outcome says is true in the org."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
from collections.abc import Iterator
from decimal import Decimal

import pytest
import requests

from onefold.connectors.outbound.contract import Change, Result
from onefold.connectors.outbound.salesforce import _http_date, _literal
from tests.connectors.outbound.targets import SECRET, WRONG, Target, wrong_cases
from tests.connectors.running_sandbox import Connected, Sandbox, running

references = (f"ref-{number:04}" for number in itertools.count(1))
BY_REFERENCE = "SELECT Id FROM Account WHERE OnefoldId__c ="
DATA = "/salesforce/services/data/v60.0"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox"), 60, {**os.environ}) as sandbox:
        yield sandbox


class Org:
    """The org, asked without our code."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.url = f"{sandbox.url}{DATA}"
        form = {"grant_type": "client_credentials", "client_id": "onefold", "client_secret": "sandbox-secret"}
        token = requests.post(f"{sandbox.url}/salesforce/services/oauth2/token", data=form, timeout=10).json()
        self.headers = {"Authorization": f"Bearer {token['access_token']}"}

    def query(self, soql: str) -> list[dict]:
        answer = requests.get(f"{self.url}/query", params={"q": soql}, headers=self.headers, timeout=10)
        assert answer.ok, answer.text
        return answer.json()["records"]

    def count(self, reference: str) -> int:
        return len(self.query(f"{BY_REFERENCE} '{reference}'"))

    def create(self, **fields: object) -> str:
        answer = requests.post(f"{self.url}/sobjects/Account", json=fields, headers=self.headers, timeout=10)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]


@pytest.fixture
def org(sandbox: Sandbox) -> Org:
    return Org(sandbox)


@pytest.fixture
def target(sandbox: Sandbox, org: Org) -> Target:
    return target_of(sandbox, org)


def target_of(sandbox: Sandbox, org: Org) -> Target:
    kinds = {"Name": "text", "NIP__c": "text", "CreditLimit__c": "number", "Phone": "text"}
    return Target(
        sandbox, "salesforce", "salesforce", "Account", "Id", "OnefoldId__c", kinds, org.count, "onefold",
        below="/salesforce", extra={"token_path": "/services/oauth2/token"},
    )  # fmt: skip


def create(name: str | None = "Nowa", **fields: object) -> Change:
    reference = next(references)
    return Change(f"id of {reference}", "create", reference, None, {"Name": name, **fields})


@pytest.mark.parametrize("wrong", wrong_cases())
def test_what_is_said_of_a_create_whose_answer_goes_wrong_is_true(target: Target, wrong: str):
    with target.open() as outbound:
        outbound.find(["x"])  # so that the token is there
        target.create_in_vain(outbound, create(), WRONG[wrong], "PATCH")


def test_nothing_is_written_where_nobody_answers(target: Target):
    target.create_where_nobody_is(create())


def test_a_create_that_is_sent_twice_makes_one_record(target: Target):
    change = create("O'Brien \\ „Źółć” 😀\n2", CreditLimit__c=Decimal("12345678.90"), NIP__c=None)
    with target.open() as outbound:
        first, second = (target.write(outbound, change) for _ in range(2))
        assert (first.result, second.result, first.key) == (Result.DONE, Result.DONE, second.key)
        (current,) = outbound.find([change.reference, change.reference.upper()])
        assert current.fields == {**change.fields, "Phone": None} and current.key == first.key
        assert outbound.match("Name", change.fields["Name"]) == outbound.read([first.key]) == [current]
    assert target.count(change.reference) == 1


def test_items_fail_each_by_itself_though_the_answer_is_200(target: Target, org: Org):
    twice = next(references)
    for _ in range(2):
        org.create(Name="theirs", OnefoldId__c=twice)
    changes = [create("a"), create(None), dataclasses.replace(create("b"), reference=twice), create("x" * 300)]
    with target.open() as outbound:
        before = len(target.attempts)
        outcomes = outbound.apply([*changes, create("c")])
        assert [each.method for each in target.attempts[before:]].count("PATCH") == 1
    assert [each.result for each in outcomes] == [Result.DONE, *[Result.REFUSED] * 3, Result.DONE]
    assert "REQUIRED_FIELD_MISSING (Name)" in outcomes[1].reason
    assert "Several records have our reference" in outcomes[2].reason and "Unique" in outcomes[2].reason
    assert "STRING_TOO_LONG" in outcomes[3].reason and "xxx" not in outcomes[3].reason
    assert [org.count(each.reference) for each in changes] == [1, 0, 2, 0]


def test_a_request_that_is_refused_whole_refuses_only_the_record_that_it_does_not_understand(target: Target):
    good, bad = create("a"), create("b", Wrong__c="x")
    with target.open() as outbound:
        outcomes = outbound.apply([good, bad])
    assert [each.result for each in outcomes] == [Result.DONE, Result.REFUSED]
    assert [target.count(each.reference) for each in (good, bad)] == [1, 0]


def test_an_item_that_was_not_processed_for_a_lock_may_be_asked_again(target: Target, sandbox: Sandbox):
    item = {"success": False, "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": SECRET, "fields": []}]}
    sandbox.fault(system="salesforce", path="PATCH ", kind="status", code=200, body=json.dumps([item]))
    change = create()
    with target.open() as outbound:
        assert target.write(outbound, change).result is Result.NOT_SENT
        sandbox.fault(system="salesforce", path="PATCH ", kind="status", code=200, body="[]")
        assert target.write(outbound, change).result is Result.AMBIGUOUS
        assert target.count(change.reference) == 0


def test_two_hundred_creates_are_one_request(target: Target):
    changes = [create(f"n{number}") for number in range(200)]
    with target.open() as outbound:
        outcomes = outbound.apply(changes)
        assert {each.result for each in outcomes} == {Result.DONE}
        assert [each.id for each in outcomes] == [each.id for each in changes]
        assert [each.method for each in target.attempts].count("PATCH") == 1
        found = outbound.find([each.reference for each in changes])
        assert {each.key for each in found} == {each.key for each in outcomes}


def test_an_update_is_moved_when_the_record_was_changed_since_and_nothing_is_overwritten(target: Target, org: Org):
    key = org.create(Name="theirs", NIP__c="5260001246")
    with target.open() as outbound:
        (there,) = outbound.match("NIP__c", "5260001246")
        assert (there.key, there.reference) == (key, None)
        change = Change("u", "update", next(references), key, {"Name": "Nowa"}, there.version)
        assert target.write(outbound, change).result is Result.DONE
        assert target.write(outbound, dataclasses.replace(change, fields={"Name": "Stara"})).result is Result.MOVED
        assert target.write(outbound, dataclasses.replace(change, kind="delete")).result is Result.MOVED
        (now,) = outbound.read([key])
        assert (now.fields["Name"], now.reference) == ("Nowa", change.reference)
        assert (
            target.write(outbound, dataclasses.replace(change, kind="delete", version=now.version)).result
            is Result.DONE
        )
        assert outbound.read([key]) == []
        assert target.write(outbound, dataclasses.replace(change, version=now.version)).result is Result.MOVED


def test_an_update_between_our_look_and_our_write_is_refused_by_the_target_itself(target: Target, org: Org):
    key = org.create(Name="theirs")
    with target.open() as outbound:
        (there,) = outbound.read([key])
        change = Change("u", "update", "r", key, {"Name": "Nowa"}, there.version)
        address = f"{org.url}/sobjects/Account/{key}"
        assert requests.patch(address, json={"Phone": "1"}, headers=org.headers, timeout=10).status_code == 204
        assert outbound._changed(change, there.version).result is Result.MOVED  # as if it was compared before that
        assert outbound.read([key])[0].fields["Name"] == "theirs"


def test_a_token_that_has_expired_is_renewed_and_the_create_is_sent_once_more(target: Target, sandbox: Sandbox):
    change = create()
    with target.open() as outbound:
        outbound.find(["x"])
        sandbox.fault(system="salesforce", path="PATCH ", kind="expired_token")
        assert target.write(outbound, change).result is Result.DONE
        assert target.count(change.reference) == 1


def test_what_is_written_comes_out_of_the_ordinary_sync(target: Target, sandbox: Sandbox):
    change = create("Echo SA")
    with target.open() as outbound:
        made = target.write(outbound, change)
    sync = Connected(sandbox, "salesforce", "account", "onefold", f"{sandbox.url}/salesforce")
    rows = {record.key: record.payload.decode() for page in sync.pages() for record in page.records}
    assert "Echo SA" in rows[made.key]


def test_values_are_written_in_soql_and_headers_as_salesforce_has_them():
    assert _literal("a'b\\c\n") == "'a\\'b\\\\c\\n'" and _literal(Decimal("1.50")) == "1.50"
    assert (_literal(None), _literal(True)) == ("null", "true")
    assert _http_date("2026-07-01T12:00:00.700+0000") == "Wed, 01 Jul 2026 12:00:00 GMT"
