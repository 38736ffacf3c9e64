"""Each widget on Airflow's own pages says what a query of the test's own finds, and leads to where more is said."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from lxml import html
from psycopg import sql

from onefold.catalog.reader import Catalog
from onefold.console.mount import external_views, react_apps
from onefold.console.pages import quarantine, widgets
from onefold.console.render import FOLDER
from onefold.errors import Fatal, Rejected
from onefold.load.ledger import Run
from onefold.quality.suite import read_suite
from onefold.rollback.lifecycle import plan_rollback
from onefold.rollback.request import RollbackRequest
from tests.console.conftest import Ask
from tests.console.figures import shown
from tests.load.shop import SHOP, Shop, pages, record

CATALOG = Catalog({"shop": SHOP}, {})
RUN = "manual__2026-11-30T02:15:00+00:00_x/y"


@pytest.fixture(autouse=True)
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widgets, "read_systems", lambda: {"shop": SHOP})
    monkeypatch.setattr(widgets, "read_catalog", lambda: CATALOG)


@pytest.fixture
def loaded(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """One load, which has let two records pass, and one wait."""
    monkeypatch.setattr(quarantine, "read_suite", lambda name: read_suite(name, shop.suites))
    shop.run(shop.job(pages([record("a", 1), record("b", 2), record("c", 3, credit=-1)]), run=RUN))
    return shop


def refuse(shop: Shop) -> None:
    """A load whose every row the gate refuses."""
    with pytest.raises(Rejected):
        shop.load([record(f"bad{number}", 9, credit=-1) for number in range(5)])


def links(page: str) -> list[str]:
    """The addresses of the links within the page, each of which leads out of the widget's frame."""
    found = [each for each in html.fromstring(page).xpath("//main//a") if not each.get("href").startswith("#")]
    assert found and all(each.get("target") == "_top" for each in found)
    return [each.get("href") for each in found]


def test_home_says_plainly_when_all_is_well_and_when_nothing_was_loaded_yet(shop: Shop, console: Ask) -> None:
    assert "No stream has been loaded yet" in console("analyst").get("/widgets/home").text
    shop.load([record("a", 1)])
    page = console("auditor").get("/widgets/home").text
    assert "All is well" in page and shown(page) == {}


def test_home_says_what_is_wrong_each_with_its_figure_and_a_link(
    loaded: Shop, console: Ask, warehouse_url: str
) -> None:
    refuse(loaded)
    plan_rollback(loaded.url, CATALOG, RollbackRequest((1,), reason="wrong"), Run("rollback", RUN, "os:tester"))
    with psycopg.connect(warehouse_url, autocommit=True) as owner:
        owner.execute("update ops.cursor set window_end = now() - interval '90 days'")
        owner.execute(
            "insert into ops.alert (kind, subject, message) values ('freshness', 'shop.customer', 'It is old')"
        )
        owner.execute(
            "with compared as (insert into ops.reconciliation (system, stream, dag_id, run_id, actor, state, ended_at)"
            " values ('shop', 'customer', 'reconcile', 'run', 'os:tester', 'compared', now())"
            " returning reconciliation_id)"
            " insert into ops.drift (system, stream, _key, kind, since, reconciliation_id)"
            " select 'shop', 'customer', n, 'missing', now(), reconciliation_id"
            " from compared, unnest('{x,y}'::text[]) n"
        )
    page = console("engineer").get("/widgets/home").text
    expected = {
        "rejected": "select count(*) from ops.load where load_id = (select max(load_id) from ops.load)"
        " and state = 'rejected'",
        "late": "select count(*) from ops.cursor where window_end < now() - interval '30 days'",
        "drift": "select count(*) from ops.drift",
        "quarantine": "select count(*) from ops.quarantine where state = 'open'",
        "asking": "select count(*) from ops.approval where decision is null",
        "alerts": "select count(*) from ops.alert where resolved_at is null",
    }
    assert shown(page) == {name: str(loaded.query(query)[0][0]) for name, query in expected.items()}
    assert shown(page)["quarantine"] == "1" and shown(page)["drift"] == "2" and shown(page)["asking"] == "1"
    severities = [each.get("class") for each in html.fromstring(page).xpath("//main//li")]
    assert severities == sorted(severities), "what is worst comes first"
    assert "/plugin/onefold-quarantine/console/quarantine?system=shop&stream=customer" in links(page)
    assert {"asking", *shown(console("analyst").get("/widgets/home").text)} == expected.keys()


def test_a_dags_tab_has_the_streams_of_its_system_as_the_overview_has_them(loaded: Shop, console: Ask) -> None:
    page = console("engineer").get("/widgets/dag?dag=sync__shop").text
    ((new, waits),) = loaded.query(
        "select rows_new, (select count(*) from ops.quarantine where state = 'open') from ops.load"
    )
    row = shown(page, "//tr[@data-stream='shop.customer']")
    assert (
        (row["verdict"], row["new"], row["open_quarantine"]) == ("passed", str(new), str(waits)) == ("passed", "2", "1")
    )
    assert "/plugin/onefold-quarantine/console/quarantine?system=shop&stream=customer" in links(page)
    assert "<nav" not in page, "a tab has Airflow's menu around it, and no other"


def test_a_runs_tab_has_its_loads_with_figures_verdict_reason_and_next_step(loaded: Shop, console: Ask) -> None:
    refuse(loaded)
    names = "read", "new", "changed", "deleted", "withheld", "quarantined"
    passed, refused = loaded.query(
        "select rows_read, rows_new, rows_changed, rows_deleted, values_withheld, rows_quarantined, error, run_id"
        " from ops.load order by load_id"
    )
    for verdict, (*figures, error, run), hint in (
        ("passed", passed, "The page Quarantine says why"),
        ("rejected", refused, "Correct catalog/systems/shop.yaml"),
    ):
        page = console("engineer").get("/widgets/dag_run", params={"dag": "sync__shop", "run": run}).text
        row = shown(page, "//tr[@data-stream='shop.customer']")
        assert row == {
            "verdict": verdict,
            **({"error": error} if error else {}),
            **{name: str(figure) for name, figure in zip(names, figures, strict=True)},
        }
        assert hint in page
    assert refused[-2] and passed[-2] is None


def test_a_source_that_is_down_is_told_from_a_load_that_was_refused(shop: Shop, console: Ask) -> None:
    with pytest.raises(Fatal):
        shop.run(shop.job([Fatal("shop.customer: the source answers 403")], run=RUN))
    page = console("engineer").get("/widgets/task_instance", params=_task()).text
    assert "the source answers 403" in page and "not reached" in page and "Once the cause is gone" in page


def test_a_tasks_tab_has_its_load_and_why_rows_of_it_wait(loaded: Shop, console: Ask) -> None:
    loaded.load([record("a", 1), record("z", 3, name=None)])  # rows of another load, for another reason
    page = console("engineer").get("/widgets/task_instance", params=_task()).text
    ((reason, rows),) = loaded.query(
        sql.SQL(
            "select q.reason, count(*) from ops.quarantine q join ops.load l using (load_id)"
            " where q.state = 'open' and l.run_id = {} group by 1"
        ).format(RUN)
    )
    assert shown(page, "//dl")["quarantined"] == str(rows) == "1"
    (group,) = html.fromstring(page).xpath("//tr[@data-group]")
    assert "credit" in group.text_content() and reason in group.get("data-group")
    (to,) = [each for each in links(page) if "expectation=" in each]
    assert parse_qs(urlsplit(to).query)["stream"] == ["customer"]
    assert to.startswith("/plugin/onefold-quarantine/console/quarantine?")
    assert "data-group" not in console("analyst").get("/widgets/task_instance", params=_task()).text


def test_a_run_that_does_an_operation_shows_its_plan_and_what_is_next(loaded: Shop, console: Ask) -> None:
    plan_rollback(loaded.url, CATALOG, RollbackRequest((1,), reason="<wrong>"), Run("rollback", RUN, "os:tester"))
    asked = {"dag": "rollback", "run": RUN}
    page = console("approver").get("/widgets/dag_run", params=asked).text
    ((about, plan),) = loaded.query(
        "select 'load ' || array_to_string(loads, ', '), approval.plan from ops.rollback join ops.approval on subject ="
        " 'rollback:' || rollback_id"
    )
    assert shown(page)["about"] == about and shown(page)["reason"] == "<wrong>" and "<wrong>" not in page
    assert " ".join(plan.replace("*", "").split())[:20] in " ".join(html.fromstring(page).text_content().split())
    assert any(each.endswith("/required_actions") for each in links(page))
    assert any(each == "/plugin/onefold-operations/console/operations/rollback/1" for each in links(page))
    other = console("approver").get("/widgets/dag_run", params=asked | {"run": "another"}).text
    assert "has loaded nothing yet" in other
    of_dag = console("approver").get("/widgets/dag?dag=rollback").text
    assert html.fromstring(of_dag).xpath("//tr/@data-operation") == ["rollback:1"]
    for path in ("dag", "dag_run"):
        assert console("analyst").get(f"/widgets/{path}", params=asked).status_code == 403


def test_a_dag_that_is_not_ours_shows_that_it_has_nothing_here(console: Ask) -> None:
    asked = {"dag": "<b>theirs", "run": RUN, "task": "{TASK_ID}"}
    for path in ("dag", "dag_run", "task_instance"):
        answer = console("analyst").get(f"/widgets/{path}", params=asked)
        assert answer.status_code == 200 and "Nothing in the warehouse" in answer.text and "<b>" not in answer.text


def test_airflow_is_told_of_each_widget_at_an_address_that_answers(shop: Shop, console: Ask) -> None:
    tabs = {each["destination"]: str(each["href"]) for each in external_views() if each["destination"] != "nav"}
    assert tabs.keys() == {"dag", "dag_run", "task_instance"}
    filled = {"DAG_ID": "sync__shop", "RUN_ID": "r", "TASK_ID": "customer"}
    for href in tabs.values():
        assert console("engineer").get(href.removeprefix("/console").format(**filled)).status_code == 200
        assert console(None).get(href.removeprefix("/console").format(**filled)).status_code == 401
    (app,) = react_apps()
    script = FOLDER / "static" / str(app["bundle_url"]).rpartition("/")[2]
    assert f'globalThis["{app["name"]}"]' in script.read_text()


def _task() -> Mapping[str, str]:
    return {"dag": "sync__shop", "run": RUN, "task": "customer"}
