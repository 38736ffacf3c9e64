"""What waits in quarantine is told in words and figures, and a replay is started and accounted for on its pages."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from fastapi.testclient import TestClient
from lxml import html

from onefold.catalog.reader import Catalog
from onefold.console.pages import quarantine, replay
from onefold.quality.suite import read_suite
from tests.console.airflow import Airflow
from tests.console.conftest import SAME_SITE, Ask
from tests.console.figures import shown
from tests.load.shop import SUITE, Shop, record
from tests.replay.replaying import closed, job, opened, run_of, suite

VAT = "  - {type: expect_column_values_to_be_in_set, kwargs: {column: credit, value_set: [0, 5, 8, 23]}}\n"


@pytest.fixture
def stock(shop: Shop, console: Ask, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Four rows that wait, for two reasons and one that no replay can take; one that is published."""
    for module in (quarantine, replay):
        monkeypatch.setattr(module, "read_catalog", lambda: Catalog({"shop": shop.system}, shop.entities))
    monkeypatch.setattr(quarantine, "read_suite", lambda name: read_suite(name, shop.suites))
    suite(shop, SUITE + VAT)
    rows = [record("a", 1, credit=99), record("b", 1, credit=99), record("c", 1, name=None, credit=5)]
    shop.load([*rows, record(None, 1), record("d", 1, credit=23)])
    return shop


def reasons(page: str) -> dict[str, str]:
    """By the text of each reason, how many rows it has."""
    rows = html.fromstring(page).xpath("//tr[@data-group]")
    return {
        " ".join(row.xpath(".//td[contains(@class, 'why')]")[0].text_content().split()): row.xpath(
            ".//td[@data-figure='rows']"
        )[0].text
        for row in rows
    }


def test_each_reason_stands_in_words_with_its_figure(stock: Shop, console: Ask) -> None:
    page = console("engineer").get("/quarantine?system=shop&stream=customer").text
    assert reasons(page) == {
        "credit is none of the allowed values; allowed: 0, 5, 8, 23": "2",
        "name is empty; allowed: a value": "1",
        "the primary key (id) is missing": "1",
    }
    ((waiting,),) = stock.query("select count(*) from ops.quarantine where state = 'open' and attribute is null")
    assert shown(page, "//dl") == {"records": str(waiting), "values": "0"} and waiting == 4
    only = console("engineer").get("/quarantine?expectation=CREDIT&since=2020-01-01").text
    assert list(reasons(only).values()) == ["2"] and shown(only, "//dl")["records"] == "2"
    assert reasons(console("engineer").get("/quarantine?until=2020-01-01").text) == {}


def test_the_most_frequent_reasons_come_first_and_the_others_on_demand(
    stock: Shop, console: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "FEW_REASONS", 1)
    page = console("engineer").get("/quarantine?system=shop")
    (more,) = html.fromstring(page.text).xpath("//a[@data-more]")
    assert list(reasons(page.text).values()) == ["2"] and more.text == "2 more reasons"
    page = console("engineer").get(more.get("href"))
    assert list(reasons(page.text).values()) == ["2", "1", "1"] and "data-more" not in page.text
    stock.execute("update ops.quarantine set key_conflict = 'true' where _key = 'c'")
    plan = console("engineer").get("/quarantine/replay?system=shop")
    assert shown(plan.text)["more_not_replayable"] == "1" and "1 most frequent" in plan.text


def test_one_reason_has_a_link_that_selects_it_and_no_other(stock: Shop, console: Ask) -> None:
    page = html.fromstring(console("engineer").get("/quarantine").text)
    links = [row.xpath(".//a/@href") for row in page.xpath("//tr[@data-group]")]
    for (rows, plan), count in zip(links, ("2", "1", "1"), strict=True):
        assert shown(console("engineer").get(rows).text, "//dl")["records"] == count
        assert console("engineer").get(plan).status_code == 200


def test_a_row_tells_field_expectation_load_and_mapping_and_no_personal_value(stock: Shop, console: Ask) -> None:
    ((number, load, key),) = stock.query(
        "select quarantine_id, load_id, _key from ops.quarantine where _key = 'c' and state = 'open'"
    )
    page = console("engineer").get(f"/quarantine/row/{number}").text
    assert shown(page) == {"key": key, "load": str(load), "mapping": "none was used"}
    for said in ("name is empty", "expect_column_values_to_not_be_null(name)", "shop__customer.yaml", "Replay this"):
        assert said in page
    for path in (
        "/quarantine",
        *(f"/quarantine/row/{n}" for (n,) in stock.query("select quarantine_id from ops.quarantine")),
    ):
        assert "Name " not in console("engineer").get(path).text
    ((vat,),) = stock.query("select quarantine_id from ops.quarantine where _key = 'a'")
    assert "credit is 99</strong>; allowed: 0, 5, 8, 23" in console("engineer").get(f"/quarantine/row/{vat}").text
    assert "credit is 99" not in console("auditor").get(f"/quarantine/row/{vat}").text
    unreadable = console("engineer").get(f"/quarantine/row/{number + 1}").text
    assert ("stored as text" in unreadable) and "Replay this" not in unreadable
    assert console("engineer").get("/quarantine/row/999999").status_code == 404


def test_rows_come_page_by_page_and_none_is_missed(stock: Shop, console: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "ROWS", 3)
    seen, path = [], "/quarantine?system=shop"
    while path:
        page = html.fromstring(console("engineer").get(path).text)
        seen += page.xpath("//tr[@data-row]/@data-row")
        path = next(iter(page.xpath("//a[@rel='next']/@href")), None)
    assert seen == [str(n) for (n,) in stock.query("select quarantine_id from ops.quarantine order by 1 desc")]


def test_who_may_not_repair_sees_no_key_and_no_way_to_a_replay(stock: Shop, console: Ask) -> None:
    for path in ("/quarantine", "/quarantine/row/1", "/quarantine/replay?system=shop", "/quarantine/replays"):
        assert console("analyst").get(path).status_code == 403
    for path in ("/quarantine", "/quarantine/row/1"):
        page = console("auditor").get(path)
        assert page.status_code == 200 and "/quarantine/replay?" not in page.text and "Key in" not in page.text
    assert console("auditor").get("/quarantine/replay?system=shop").status_code == 403


def send(client: TestClient, headers: Mapping[str, str], **form: str) -> int:
    return client.post("/quarantine/replay", data={"reason": "23 is right", **form}, headers=headers).status_code


def test_only_an_engineer_on_our_own_page_starts_a_replay(stock: Shop, console: Ask, airflow: Airflow) -> None:
    for duty, headers, status in (
        ("engineer", {"Origin": "http://evil.example"}, 403),
        ("engineer", {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
        ("engineer", {}, 403),
        ("auditor", SAME_SITE, 403),
        ("approver", SAME_SITE, 403),
        ("analyst", SAME_SITE, 403),
        (None, SAME_SITE, 401),
    ):
        assert send(console(duty), headers, system="shop") == status, (duty, headers)
    assert not airflow.asked
    for headers in (SAME_SITE, {"Origin": "http://testserver"}):
        assert send(console("engineer"), headers, system="shop") == 303


def test_a_replay_is_started_in_the_viewers_name_for_what_was_chosen(
    stock: Shop, console: Ask, airflow: Airflow
) -> None:
    client = console("engineer")
    plan = client.get("/quarantine/replay?system=shop&stream=customer&expectation=credit")
    assert shown(plan.text)["selected"] == "2"
    form = {each.get("name"): each.get("value") for each in html.fromstring(plan.text).xpath("//input[@type='hidden']")}
    answer = client.post("/quarantine/replay", data={**form, "reason": "23 is right"}, headers=SAME_SITE)
    conf = {"reason": "23 is right", "system": "shop", "stream": "customer", "expectation": "credit"}
    more = dict.fromkeys(["quarantined_from", "quarantined_to", "rows"])
    assert airflow.asked == [("ewa.nowa", "a token"), ("replay", {**conf, **more})]
    page = client.get(answer.headers["location"])
    assert "data-poll" in page.text and "rows are being chosen" in page.text
    assert client.get("/quarantine/replays?run=other").status_code == 404
    airflow.refuses = (403, '{"detail": "You may <not> read runs"}')
    assert "You may &lt;not&gt; read runs" in client.get(answer.headers["location"]).text
    airflow.refuses, airflow.state = None, "failed"
    airflow.log_text = "AirflowFailException: No open row in quarantine matches."
    assert "No open row in quarantine matches." in client.get(answer.headers["location"]).text


def test_what_cannot_be_replayed_is_refused_before_airflow_is_asked(
    stock: Shop, console: Ask, airflow: Airflow
) -> None:
    for form, said in (
        ({"expectation": "nothing like it"}, "No open row in quarantine matches"),
        ({"expectation": "primary key"}, "No row that matches can be replayed"),
        ({"system": "shpo"}, "no system &#39;shpo&#39;"),
        ({"rows": "all"}, "no list of numbers"),
        ({"reason": "x"}, "at least 3 characters"),
    ):
        answer = console("engineer").post("/quarantine/replay", data={"reason": "why not", **form}, headers=SAME_SITE)
        assert answer.status_code == 400 and said in answer.text and "othing was changed" in answer.text
    assert not airflow.asked


def test_the_account_of_a_replay_says_what_became_of_its_rows(stock: Shop, console: Ask) -> None:
    ((number,),) = stock.query("select quarantine_id from ops.quarantine where _key = 'a'")
    run = run_of()
    stock.run(job(stock, run, opened(stock, run, reason="not yet right", system="shop", rows=(number,))))
    closed(stock, run)
    page = console("auditor").get(f"/quarantine/replays?run={run.run_id}").text
    assert shown(page, "//dl") == {
        "selected": "1",
        "published": "0",
        "superseded": "0",
        "refused": "1",
        "not_replayable": "0",
    }
    assert "every row came back" in page and "data-poll" not in page
    suite(stock, SUITE)
    again = run_of()
    stock.run(job(stock, again, opened(stock, again, system="shop")))
    closed(stock, again)
    page = console("auditor").get(f"/quarantine/replays?run={again.run_id}").text
    ((selected, published, refused),) = stock.query(
        "select count(*), count(*) filter (where outcome = 'published'), count(*) filter (where outcome = 'refused')"
        " from ops.replay_row where replay_id = (select max(replay_id) from ops.replay)"
    )
    figures = shown(page, "//tr[@data-stream='shop.customer']")
    assert figures == {
        "selected": str(selected),
        "published": str(published),
        "refused": str(refused),
        "superseded": "0",
        "pending": "0",
    }
    assert (selected, published, refused) == (3, 2, 1) and "Some rows came back" in page
    (first, second) = console("auditor").get("/quarantine/replays").text.split("data-replay=")[1:]
    assert "partly refused" in first and "all refused" in second


def test_what_is_written_in_a_key_or_a_reason_is_escaped(stock: Shop, console: Ask) -> None:
    stock.execute("update ops.quarantine set _key = '<script>k</script>', reason = '<script>r</script>'")
    for path in ("/quarantine", "/quarantine/row/1", "/quarantine/replay?system=shop"):
        assert "<script>k" not in (page := console("engineer").get(path).text) and "<script>r" not in page
