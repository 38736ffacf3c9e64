"""Personal values are shown to who may see them, when they ask, and never before that is in the audit chain."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import get_args

import psycopg
import pytest
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from fastapi.testclient import TestClient
from lxml import html

from onefold.catalog.reader import Catalog
from onefold.console.pages import quarantine
from onefold.console.viewer import rights_of
from onefold.insight.reads import recorded_reads
from onefold.orchestration.duties import Duty
from onefold.quality.suite import read_suite
from tests.console.conftest import SAME_SITE, Ask
from tests.load.shop import SUITE, Shop, record
from tests.replay.replaying import suite

NAME, PESEL = "Jan Tajny", 44051401359
ONE_OF = "  - {type: expect_column_values_to_be_in_set, kwargs: {column: credit, value_set: [0, 5]}}\n"


@pytest.fixture
def stock(shop: Shop, console: Ask, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Row 1 waits for a credit of 99, row 2 for one that is a PESEL; both are of a person with a name."""
    monkeypatch.setattr(quarantine, "read_catalog", lambda: Catalog({"shop": shop.system}, shop.entities))
    monkeypatch.setattr(quarantine, "read_suite", lambda name: read_suite(name, shop.suites))
    suite(shop, SUITE + ONE_OF)
    shop.load([record("a", 1, credit=99, name=NAME), record("b", 2, credit=PESEL, name=NAME)])
    return shop


def row(shop: Shop, key: str) -> str:
    numbers = dict(shop.query("select _key, quarantine_id from ops.quarantine"))
    return f"/quarantine/row/{numbers[key]}"


def reads(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as owner:
        return owner.execute(
            "select action, actor, payload, result from audit.event where action like 'read.%' order by seq"
        ).fetchall()


def has_button(page: str) -> bool:
    return bool(html.fromstring(page).xpath("//button[@data-people]"))


def test_who_may_sees_the_record_on_demand_and_each_time_it_is_in_the_chain_without_a_value(
    stock: Shop, console: Ask, warehouse_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    client, address = console("engineer", reads_people=True), row(stock, "a")
    page = client.get(address)
    assert NAME not in page.text and has_button(page.text) and not reads(warehouse_url)
    with caplog.at_level(logging.DEBUG):
        shown = client.post(address, headers=SAME_SITE)
    assert shown.status_code == 200 and shown.headers["cache-control"] == "no-store"
    found = html.fromstring(shown.text)
    assert found.xpath("//dd[@data-field='name']/text()") == [NAME] and not has_button(shown.text)
    assert NAME not in client.get(address).text, "the next look has to be asked for again"
    (begin, end) = reads(warehouse_url)
    assert [(each[0], each[1], each[3]) for each in (begin, end)] == [
        ("read.begin", "role:onefold_console/ewa.nowa", "ok"),
        ("read.end", "role:onefold_console/ewa.nowa", "ok"),
    ]
    payload = begin[2]
    assert isinstance(payload, dict)
    assert (payload["form"], payload["stream"]) == ("page", "shop.customer")
    assert payload["quarantine_id"] == int(address.rsplit("/", 1)[1])
    assert payload["personal_columns"] == ["ops.quarantine.payload", "ops.quarantine.raw"]
    with psycopg.connect(warehouse_url) as owner:
        (newest, *_) = recorded_reads(owner).rows
        written = str(owner.execute("select array_agg(e::text) from audit.event e").fetchone())
    assert (newest.how, newest.about) == ("console", f"shop.customer row {payload['quarantine_id']}")
    assert NAME not in written and NAME not in caplog.text and NAME not in str(found.xpath("//@href | //@action"))


def test_nobody_else_has_a_button_or_gets_an_answer(stock: Shop, console: Ask, warehouse_url: str) -> None:
    address = row(stock, "a")

    def refused(client: TestClient, **headers: str) -> bool:
        answer = client.post(address, headers=headers)
        return answer.status_code == 403 and NAME not in answer.text

    for duty in get_args(Duty):
        assert refused(console(duty), **SAME_SITE), duty
        assert duty == "analyst" or not has_button(console(duty).get(address).text)
    for duty in ("analyst", "approver", "auditor"):  # who may read no record in the warehouse either
        assert refused(console(duty, reads_people=True), **SAME_SITE), duty
    trusted = console("engineer", reads_people=True)
    assert refused(trusted) and refused(trusted, Origin="http://evil.example")
    assert console(None).post(address, headers=SAME_SITE).status_code == 401
    assert not reads(warehouse_url)


def test_what_cannot_be_recorded_is_not_shown(stock: Shop, console: Ask, warehouse_url: str) -> None:
    client, address = console("engineer", reads_people=True), row(stock, "a")
    with psycopg.connect(warehouse_url) as owner:
        owner.execute("revoke execute on all functions in schema conformed from onefold_engineer, onefold_pii")
    answer = client.post(address, headers=SAME_SITE)
    assert answer.status_code == 400 and "could not be recorded" in answer.text and NAME not in answer.text
    assert not reads(warehouse_url)


def test_what_is_not_recorded_to_its_end_is_not_shown(
    stock: Shop, console: Ask, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("the server has gone")

    monkeypatch.setattr("onefold.privacy.recorded_read.RecordedRead.end", broken)
    answer = console("engineer", reads_people=True).post(row(stock, "a"), headers=SAME_SITE)
    assert answer.status_code == 503 and NAME not in answer.text
    assert [action for action, *_ in reads(warehouse_url)] == ["read.begin"]


@pytest.mark.parametrize(
    ("role", "rights"),
    [("op", ("engineer", True)), ("user", ("approver", False)), ("viewer", ("analyst", False))],
)
def test_the_right_stands_beside_the_duty_and_counts_for_the_role_of_that_duty_only(
    monkeypatch: pytest.MonkeyPatch, role: str, rights: tuple[Duty, bool]
) -> None:
    monkeypatch.setenv("ONEFOLD_PEOPLE", "ewa.nowa:engineer+pii,jan.stary:engineer")
    assert rights_of(SimpleAuthManagerUser(username="ewa.nowa", role=role)) == rights
    assert rights_of(SimpleAuthManagerUser(username="jan.stary", role=role)) == (rights[0], False)


@pytest.mark.parametrize(
    ("roles", "rights"),
    [
        (("everybody", "auditor"), ("auditor", False)),
        (("analyst", "pii"), ("analyst", True)),
        (("everybody", "pii"), None),
        (("engineer", "approver"), None),
    ],
)
def test_a_person_of_the_identity_provider_sees_what_their_groups_allow_and_nothing_without_one(
    monkeypatch: pytest.MonkeyPatch, roles: tuple[str, ...], rights: tuple[Duty, bool] | None
) -> None:
    monkeypatch.setenv("ONEFOLD_PEOPLE", "ewa.nowa:engineer+pii")
    account = SimpleNamespace(get_name=lambda: "ewa.nowa", roles=[SimpleNamespace(name=role) for role in roles])
    assert rights_of(account) == rights


def test_without_asking_the_console_has_an_engineers_rights_only(console: Ask, warehouse_url: str) -> None:
    from onefold.console.reading import reading

    with reading() as connection:
        assert connection.execute("select conformed.may_read_people()").fetchone() == (False,)


def test_a_number_of_a_person_in_a_field_that_is_not_personal_is_not_shown(stock: Shop, console: Ask) -> None:
    assert "credit is 99" in console("engineer").get(row(stock, "a")).text
    page = console("engineer").get(row(stock, "b")).text
    assert "credit" in page and str(PESEL) not in page
