"""What people asked for, with its state, who asked, who decided, why, and the next step."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from lxml import html

from onefold.catalog.reader import Catalog
from onefold.load.ledger import Run
from onefold.platform.postgres import Postgres
from onefold.rollback.lifecycle import plan_rollback
from onefold.rollback.request import RollbackRequest
from tests.approvals import answer
from tests.console.conftest import Ask
from tests.console.figures import shown
from tests.console.shared import shop_of_a_module
from tests.load.shop import SHOP, Shop, record

CATALOG = Catalog(systems={"shop": SHOP}, entities={})
_MORE = """
insert into ops.reconciliation (system, stream, dag_id, run_id, actor, state, missing, changed, ended_at)
select 'shop', 'customer', 'reconcile', 'run', 'airflow:reconcile/run', 'compared', n, n, now()
from generate_series(0, 3) as n;
insert into ops.alert (kind, subject, message)
select 'freshness', 'shop.s' || n, 'The data is old' from generate_series(1, 60) as n;
insert into ops.replay (dag_id, run_id, actor, reason, selection, not_replayable, selected, published, superseded,
    refused, ended_at)
values ('replay', 'run', 'os:tester', 'the suite was fixed', '{"stream": "customer"}', '[]', 7, 0, 0, 7, now());
insert into ops.erasure (basis, privacy_case, dag_id, run_id, actor, plan)
values ('asked for it', '0123456789abcdef', 'erase', 'run', 'airflow:by:ewa.nowa/erase/run',
    '{"records": ["crm.x secret-key"], "golden": [], "identifiers": {}, "shared": {}, "laws": [], "tables": {}}')
"""
RUN = "manual__2026-11-30T02:15:00+00:00_x/y"


@pytest.fixture(scope="module")
def shared(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, str]]:
    """Two rollbacks are planned, one of them approved; then comparisons, alerts, a replay and an erasure."""
    with shop_of_a_module(postgres, tmp_path_factory) as (shop, url):
        loads = [shop.load([record(key, minute)]) for key, minute in (("a", 1), ("b", 2))]
        for number, load in enumerate(loads):
            run = f"{RUN}{number}"
            request = RollbackRequest((load.load_id,), reason="wrong <prices>")
            plan_rollback(shop.url, CATALOG, request, Run("rollback", run, f"airflow:by:ewa.nowa/rollback/{run}"))
        answer(shop.url, "rollback:1", "jan.kos", approved=True)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_MORE)
        yield shop, url


@pytest.fixture
def warehouse_url(shared: tuple[Shop, str]) -> str:
    return shared[1]


@pytest.fixture
def office(shared: tuple[Shop, str]) -> Shop:
    return shared[0]


def rows(page: str) -> dict[str, dict[str, str]]:
    names = html.fromstring(page).xpath("//tr/@data-operation")
    return {name: shown(page, f"//tr[@data-operation='{name}']") for name in names}


def test_the_list_says_what_where_who_and_why_and_every_page_follows_the_last(office: Shop, console: Ask) -> None:
    browser = console("auditor")
    address, names, found = "", [], {}
    while address is not None:
        page = browser.get(f"/operations{address}").text
        found |= rows(page)
        names += html.fromstring(page).xpath("//tr/@data-operation")
        address = next(iter(html.fromstring(page).xpath("//a[.='Older']/@href")), None)
    expected = office.query(
        "select 'alert:' || alert_id, first_seen, 'alert', alert_id from ops.alert union all"
        " select 'rollback:' || rollback_id, planned_at, 'rollback', rollback_id from ops.rollback union all"
        " select 'replay:' || replay_id, started_at, 'replay', replay_id from ops.replay union all"
        " select 'erasure:' || erasure_id, planned_at, 'erasure', erasure_id from ops.erasure union all"
        " select 'reconciliation:' || reconciliation_id, started_at, 'reconciliation', reconciliation_id"
        " from ops.reconciliation order by 2 desc, 3 desc, 4 desc"
    )
    assert names == [name for name, *_ in expected] and len(names) == 68
    assert found["rollback:1"]["state"] == "planned" and found["rollback:1"]["decided_by"] == "jan.kos (approved)"
    assert (found["rollback:2"]["asked_by"], found["rollback:2"]["reason"]) == ("ewa.nowa", "wrong <prices>")
    assert found["replay:1"]["state"] == "refused" and found["replay:1"]["outcome"].startswith("0 of 7 published")
    assert [found[f"reconciliation:{number}"]["state"] for number in (1, 4)] == ["compared", "drift"]
    assert found["reconciliation:4"]["outcome"] == "3 missing, 3 changed, 0 deleted"


def test_what_has_not_ended_is_counted_by_kind_and_listed(office: Shop, console: Ask) -> None:
    page = console("engineer").get("/operations?show=open&kind=rollback").text
    assert list(rows(page)) == ["rollback:2", "rollback:1"]
    waiting = shown(page, "//dl")
    ((alerts, rollbacks, erasures),) = office.query(
        "select (select count(*) from ops.alert where resolved_at is null),"
        " (select count(*) from ops.rollback where state = 'planned'),"
        " (select count(*) from ops.erasure where state in ('planned', 'executing'))"
    )
    assert (waiting["alert"], waiting["rollback"], waiting["erasure"]) == (str(alerts), str(rollbacks), str(erasures))
    assert (waiting["replay"], waiting["reconciliation"]) == ("0", "0")


def test_a_plan_that_waits_leads_to_airflows_required_action_and_an_approved_one_to_its_run(
    office: Shop, console: Ask
) -> None:
    page = html.fromstring(console("approver").get("/operations?kind=rollback").text)
    quoted = "manual__2026-11-30T02%3A15%3A00%2B00%3A00_x%2Fy"
    for number, rest in ((1, "0"), (2, "1/tasks/approve/required_actions")):
        (link,) = page.xpath(f"//tr[@data-operation='rollback:{number}']//a[@target='_top']/@href")
        assert link == f"/dags/rollback/runs/{quoted}{rest}"


def test_the_page_of_one_shows_its_plan_its_report_and_what_it_was_asked(office: Shop, console: Ask) -> None:
    page = console("engineer").get("/operations/rollback/1").text
    ((plan,),) = office.query("select plan from ops.approval where subject = 'rollback:1'")
    text = html.fromstring(page).text_content()
    for line in plan.replace("**", "").splitlines():
        assert line.strip("- ") in text
    assert "<prices>" not in page and "Approved by jan.kos" in text and "Required" not in text
    replay = console("engineer").get("/operations/replay/1")
    assert replay.status_code == 200 and "/quarantine" in replay.text
    for path in ("reconciliation/4", "alert/1", "erasure/1"):
        assert console("engineer").get(f"/operations/{path}").status_code == 200


def test_auditors_do_not_read_the_keys_of_records_and_analysts_no_operation(office: Shop, console: Ask) -> None:
    assert "secret-key" in console("engineer").get("/operations/erasure/1").text
    assert "secret-key" not in console("auditor").get("/operations/erasure/1").text
    for path in ("/operations", "/operations/erasure/1"):
        assert console("analyst").get(path).status_code == 403


def test_what_there_is_not_is_said_to_be_not_there(console: Ask) -> None:
    for path in ("/operations/alert/900", "/operations/none/1", "/operations/alert/x"):
        assert console("engineer").get(path).status_code == 404
    for query in ("before=1.alert", "kind=none"):
        assert console("engineer").get(f"/operations?{query}").status_code == 400
