"""The timeline shows what the chain has, whoever looks for it how; the chain's state is told; and it is verified."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from lxml import html
from starlette.testclient import TestClient

from onefold.audit import AuditEvent, anchor, append
from onefold.insight import timeline
from onefold.platform.postgres import Postgres
from onefold.settings import settings
from onefold.warehouse.connection import connect
from tests.console.conftest import Ask
from tests.console.figures import shown
from tests.console.shared import shop_of_a_module
from tests.load.shop import Shop, record

_EVENTS = "select seq from audit.event where {} order by seq desc"
PEOPLE = ("airflow:ewa.nowa", "airflow:by:ewa.nowa/rollback/manual__1", "os:ewa.nowa", "airflow:ewa.nowak")


@pytest.fixture(scope="module")
def shared(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, str]]:
    """Two loads and what four people did; then an anchor, and one event after it."""
    with shop_of_a_module(postgres, tmp_path_factory) as (shop, url):
        shop.load([record("a", 1)])
        shop.load([record("b", 2)])
        with connect(shop.url, autocommit=True) as connection:
            for number in range(150):
                for person in PEOPLE:
                    append(connection, AuditEvent(person, "rollback.plan", f"rollback:{number}", payload={"rows": 3}))
            anchor(connection, settings().audit_anchor)
            append(connection, AuditEvent("os:root", "service.restart", "service:api", result="failed"))
        yield shop, url


@pytest.fixture
def warehouse_url(shared: tuple[Shop, str]) -> str:
    return shared[1]


@pytest.fixture
def shop(shared: tuple[Shop, str]) -> Shop:
    return shared[0]


def events(page: str) -> list[int]:
    return [int(seq) for seq in html.fromstring(page).xpath("//tr/@data-event")]


def all_pages(browser: TestClient, **given: str) -> list[int]:
    found: list[int] = []
    more = {}
    while more is not None:
        page = browser.post("/audit", data={**given, **more}).text
        found += events(page)
        older = html.fromstring(page).xpath("//button[@name='before']/@value")
        more = {"before": older[0]} if older else None
    return found


@pytest.mark.parametrize(
    ("given", "condition"),
    [
        ({}, "true"),
        ({"person": "ewa.nowa"}, "actor ~ '(^|:)ewa.nowa(/|$)'"),
        ({"action": "load"}, "action like 'load.%'"),
        ({"action": "load.publish"}, "action = 'load.publish'"),
        ({"subject": "rollback:7"}, "subject = 'rollback:7'"),
        ({"subject": "rollback", "person": "ewa.nowak"}, "subject like 'rollback:%' and actor like '%.nowak'"),
        ({"since": "2026-01-01", "until": "9998-01-01"}, "true"),
        ({"until": "2020-01-01"}, "false"),
        ({"since": "9998-01-01"}, "false"),
    ],
)
def test_a_filter_finds_just_what_a_query_finds_page_by_page(
    shop: Shop, console: Ask, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], condition: str
) -> None:
    expected = [seq for (seq,) in shop.query(_EVENTS.format(condition))]
    assert all_pages(console("auditor"), **given) == expected
    monkeypatch.setattr(timeline, "SEARCHED", 90)  # a page ends where it has looked far enough, and the next goes on
    assert all_pages(console("auditor"), **given) == expected


def test_times_cut_the_timeline_to_the_microsecond(shop: Shop, console: Ask) -> None:
    ((at, last),) = shop.query(
        "select to_char(at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), (select max(seq) from audit.event)"
        " from audit.event where seq = 300"
    )
    assert all_pages(console("engineer"), since=at) == list(range(last, 299, -1))
    assert all_pages(console("engineer"), until=at) == list(range(299, 0, -1))


def test_an_event_is_shown_whole_and_who_is_looked_for_stays_out_of_addresses(shop: Shop, console: Ask) -> None:
    page = console("auditor").post("/audit", data={"person": "ewa.nowa"}).text
    ((seq, result),) = shop.query(
        "select seq, result from audit.event where actor like 'airflow:by:%' order by seq desc limit 1"
    )
    row = shown(page, f"//tr[@data-event='{seq}']")
    assert (row["who"], row["action"], row["result"]) == ("ewa.nowa", "rollback.plan", result)
    assert not [link for link in html.fromstring(page).xpath("//@href | //@action") if "ewa" in link]


def test_the_state_of_the_chain_is_what_it_and_its_anchor_say(shop: Shop, console: Ask) -> None:
    page = console("auditor").get("/audit").text
    figures = shown(page)
    ((events_, before_last),) = shop.query("select count(*), max(seq) - 1 from audit.event")
    assert (figures["events"], figures["not_anchored"]) == (str(events_), "1")
    assert figures["anchored"] == str(before_last) and "signed by this installation" in page


def test_verifying_says_which_events_and_finds_a_changed_a_missing_and_a_rewritten_one(
    shop: Shop, console: Ask, warehouse_url: str, tmp_path: Path
) -> None:
    figures = shown(console("auditor").post("/audit/verify").text)
    ((last,),) = shop.query("select max(seq) from audit.event")
    anchors = len(settings().audit_anchor.read_text().splitlines())
    assert (figures["first"], figures["last"], figures["anchors"]) == ("1", str(last), str(anchors))
    for change, fault in (
        ("update audit.event set result = 'failed' where seq = 301", 301),
        ("delete from audit.event where seq = 300", 300),
        ("delete from audit.event where seq >= 500", 500),
    ):
        with psycopg.connect(warehouse_url) as owner:
            owner.execute("alter table audit.event disable trigger event_append_only")
            owner.execute("create table audit.kept as table audit.event")
            owner.execute(change)
            owner.commit()
            answer = console("auditor").post("/audit/verify").text
            owner.execute("truncate audit.event")
            owner.execute("alter table audit.event disable trigger event_link")
            owner.execute("insert into audit.event select * from audit.kept")
            owner.execute("alter table audit.event enable always trigger event_link")
            owner.execute("alter table audit.event enable always trigger event_append_only")
            owner.execute("drop table audit.kept")
        assert shown(answer)["fault"] == str(fault), change


def test_analysts_do_not_see_the_trail(console: Ask) -> None:
    for ask in (console("analyst").get, console("analyst").post):
        assert ask("/audit").status_code == 403
    assert console("analyst").post("/audit/verify").status_code == 403
    assert console("auditor").post("/audit", data={"since": "soon"}).status_code == 400
