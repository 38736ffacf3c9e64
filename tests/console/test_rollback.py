"""Published loads are chosen on a page and rolled back, or a rollback is undone, in the viewer's name."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from fastapi.testclient import TestClient
from lxml import html

from onefold.catalog.reader import Catalog
from onefold.console.pages import rollback
from onefold.load.ledger import Run
from onefold.rollback.lifecycle import execute_rollback, plan_rollback
from onefold.rollback.request import RollbackRequest
from tests.approvals import answer
from tests.console.airflow import RUN, Airflow
from tests.console.conftest import SAME_SITE, Ask
from tests.load.shop import SHOP, Shop, record

CATALOG = Catalog(systems={"shop": SHOP}, entities={})
PLAN = "/operations/rollback/plan"


@pytest.fixture
def stock(shop: Shop, console: Ask, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Three published loads, 1 to 3."""
    monkeypatch.setattr(rollback, "read_systems", lambda: CATALOG.systems)
    for minute, key in enumerate("abc", 1):
        shop.load([record(key, minute)])
    return shop


def loads(page: str) -> list[str]:
    return html.fromstring(page).xpath("//tr[@data-load]/@data-load")


def hidden(page: str) -> dict[str, str]:
    return {each.get("name"): each.get("value") for each in html.fromstring(page).xpath("//input[@type='hidden']")}


def planned(stock: Shop, request: RollbackRequest, run_id: str) -> int:
    run = Run("rollback", run_id, f"airflow:by:ewa.nowa/rollback/{run_id}")
    return int(str(plan_rollback(stock.url, CATALOG, request, run).rollback_id))


def done(stock: Shop, request: RollbackRequest, run_id: str) -> int:
    number = planned(stock, request, run_id)
    answer(stock.url, f"rollback:{number}", "jan.kos", approved=True)
    execute_rollback(stock.url, CATALOG, number, "airflow:rollback")
    return number


def test_published_loads_come_page_by_page_with_their_rows_and_what_is_ticked_stays_ticked(
    stock: Shop, console: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = rollback.published_loads
    monkeypatch.setattr(rollback, "published_loads", lambda *given, **more: published(*given, **more, limit=2))
    first = console("engineer").get("/operations/rollback?system=shop&stream=customer&load=3")
    assert loads(first.text) == ["3", "2"]
    page = html.fromstring(first.text)
    assert page.xpath("//input[@name='load' and @checked]/@value") == ["3"]
    assert page.xpath("//tr[@data-load='3']//*[@data-figure='rows']/text()") == ["1"]
    (before,) = page.xpath("//button[@name='before']/@value")
    second = console("engineer").get(f"/operations/rollback?system=shop&stream=customer&load=3&before={before}")
    assert loads(second.text) == ["1"]
    assert html.fromstring(second.text).xpath("//fieldset//input[@checked]/@value") == ["3"]
    assert console("engineer").get("/operations/rollback?system=none").status_code == 400


def test_a_load_that_is_too_old_is_shown_and_cannot_be_ticked(stock: Shop, console: Ask) -> None:
    stock.execute("update ops.load set rollback_until = now() - interval '1 day' where load_id = 1")
    page = html.fromstring(console("engineer").get("/operations/rollback").text)
    assert page.xpath("//input[@name='load']/@value") == ["3", "2"]
    assert "too old" in page.xpath("//tr[@data-load='1']")[0].text_content()
    refused = console("engineer").get(f"{PLAN}?load=1")
    assert refused.status_code == 400 and "can no longer be rolled back" in refused.text
    assert "<form" not in refused.text


def test_loads_that_were_ticked_are_rolled_back_in_the_viewers_name_for_the_reason_that_was_given(
    stock: Shop, console: Ask, airflow: Airflow
) -> None:
    client = console("engineer")
    summary = client.get(f"{PLAN}?load=2&load=3")
    assert summary.status_code == 200 and loads(summary.text) == ["2", "3"] and "Roll back 2 loads" in summary.text
    sent = client.post(PLAN, data={**hidden(summary.text), "reason": " wrong prices "}, headers=SAME_SITE)
    conf = {"loads": "2, 3", "dag": None, "run": None, "undo": None, "reason": "wrong prices"}
    assert airflow.asked == [("ewa.nowa", "a token"), ("rollback", conf)]
    where = sent.headers["location"]
    assert sent.status_code == 303 and "data-poll" in (page := client.get(where).text) and "Nothing is changed" in page
    number = planned(stock, RollbackRequest((2, 3), reason="wrong prices"), RUN)
    assert client.get(where).headers["location"] == f"/operations/rollback/{number}"
    page = client.get(f"/operations/rollback/{number}").text
    assert "You have asked for it" in page and "/tasks/approve/required_actions" in page and "data-poll=" in page
    assert "Decide" not in page


def test_a_whole_run_is_rolled_back_by_its_dag_and_its_id(stock: Shop, console: Ask, airflow: Airflow) -> None:
    client = console("engineer")
    ((dag, run, count),) = stock.query(
        "select dag_id, run_id, count(*) from ops.load where load_id = 2 or run_id = (select run_id from ops.load"
        " where load_id = 2) group by 1, 2"
    )
    page = html.fromstring(client.get("/operations/rollback").text)
    (link,) = page.xpath("//tr[@data-load='2']//a[starts-with(@aria-label, 'Roll back the whole run')]/@href")
    summary = client.get(link)
    assert len(loads(summary.text)) == count
    client.post(PLAN, data={**hidden(summary.text), "reason": "wrong prices"}, headers=SAME_SITE)
    conf = {"loads": None, "dag": dag, "run": run, "undo": None, "reason": "wrong prices"}
    assert airflow.asked[-1] == ("rollback", conf)


def test_a_rollback_that_is_done_is_undone_from_its_page_and_an_undo_is_not(
    stock: Shop, console: Ask, airflow: Airflow
) -> None:
    client, number = console("engineer"), done(stock, RollbackRequest((3,), reason="wrong prices"), "run-1")
    (link,) = html.fromstring(client.get(f"/operations/rollback/{number}").text).xpath(
        "//section[@class='next']//a/@href"
    )
    summary = client.get(link)
    assert f"Undo rollback {number}" in summary.text and loads(summary.text) == ["3"]
    client.post(PLAN, data={**hidden(summary.text), "reason": "they were right"}, headers=SAME_SITE)
    conf = {"loads": None, "dag": None, "run": None, "undo": number, "reason": "they were right"}
    assert airflow.asked[-1] == ("rollback", conf)
    undo = done(stock, RollbackRequest(undo=number, reason="they were right"), "run-2")
    for each in (number, undo):
        assert "undone" not in client.get(f"/operations/rollback/{each}").text.partition("</h1>")[2]
        assert client.get(f"{PLAN}?undo={each}").status_code == 400


def test_what_cannot_be_rolled_back_is_said_before_airflow_is_asked(
    stock: Shop, console: Ask, airflow: Airflow
) -> None:
    for form, said in (
        ({"loads": "2", "reason": "x"}, "Say why, in 3 to 500 characters"),
        ({"loads": "2", "reason": "   .   "}, "Say why, in 3 to 500 characters"),
        ({"loads": "900", "reason": "wrong prices"}, "There is no load 900"),
        ({"loads": "", "reason": "wrong prices"}, "Name at least one load"),
        ({"dag": "sync__shop", "reason": "wrong prices"}, "Name the run of sync__shop too"),
        ({"undo": "7", "reason": "wrong prices"}, "There is no rollback 7"),
        ({"undo": "none", "reason": "wrong prices"}, "undo: "),
    ):
        sent = console("engineer").post(PLAN, data=form, headers=SAME_SITE)
        assert sent.status_code == 400 and said in sent.text, form
    assert airflow.asked == []


def test_a_stream_that_is_being_loaded_is_named_and_the_run_waits_for_it(stock: Shop, console: Ask) -> None:
    stock.execute("update ops.load set state = 'landed' where load_id = 3")
    page = console("engineer").get(f"{PLAN}?load=2")
    assert page.status_code == 200 and "has load 3 in progress" in page.text and "<form" in page.text


def send(client: TestClient, headers: Mapping[str, str]) -> int:
    return client.post(PLAN, data={"loads": "2", "reason": "wrong prices"}, headers=headers).status_code


def test_only_an_engineer_on_our_own_page_starts_a_rollback(stock: Shop, console: Ask, airflow: Airflow) -> None:
    for duty in ("approver", "auditor", "analyst"):
        assert send(console(duty), SAME_SITE) == 403
        for path in ("/operations/rollback", f"{PLAN}?load=2"):
            assert console(duty).get(path).status_code == 403
        pages = "".join(console(duty).get(path).text for path in ("/operations", "/overview"))
        assert "/operations/rollback" not in pages and "/operations/migration" not in pages
    for headers in ({}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert send(console("engineer"), headers) == 403
    assert send(console(None), SAME_SITE) == 401 and airflow.asked == []


def test_what_airflow_refuses_and_why_a_run_has_failed_is_said_in_its_own_words(
    stock: Shop, console: Ask, airflow: Airflow
) -> None:
    client, where = console("engineer"), f"/operations/started/rollback?run={RUN}"
    airflow.state, airflow.log_text = "failed", "plan\nAirflowFailException: Load 2 <b>is final</b>.\nTask failed"
    page = client.get(where).text
    assert "plan: Load 2 &lt;b&gt;is final&lt;/b&gt;." in page and "data-poll" not in page
    number = planned(stock, RollbackRequest((2,), reason="wrong prices"), RUN)
    answer(stock.url, f"rollback:{number}", "jan.kos", approved=True)
    assert "Its run has failed. plan: Load 2" in client.get(f"/operations/rollback/{number}").text
    airflow.refuses = (403, '{"detail": "You may not read runs"}')
    assert "You may not read runs" in client.get(f"/operations/rollback/{number}").text
    assert "You may not read runs" in client.get("/operations/started/rollback?run=manual__other").text
    sent = client.post(PLAN, data={"loads": "3", "reason": "wrong prices"}, headers=SAME_SITE)
    assert sent.status_code == 400 and "You may not read runs. Nothing was changed." in sent.text
    airflow.refuses = None
    assert client.get("/operations/started/rollback?run=other").status_code == 404
    assert client.get(f"/operations/started/sync__shop?run={RUN}").status_code == 404


def test_what_is_written_in_a_run_or_a_reason_is_escaped(stock: Shop, console: Ask) -> None:
    stock.execute("update ops.load set run_id = '<script>r</script>' where load_id = 2")
    for path in ("/operations/rollback", f"{PLAN}?load=2", f"{PLAN}?dag=x&run=<script>r</script>"):
        page = console("engineer").get(path).text
        assert "<script>r" not in page and "&lt;script&gt;r" in page
    sent = console("engineer").post(PLAN, data={"loads": "2", "reason": "<"}, headers=SAME_SITE).text
    assert "&lt;</textarea>" in sent
