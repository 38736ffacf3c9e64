"""What Prometheus gets is what the ledger says, and counters never fall."""

from __future__ import annotations

import json
import re

import psycopg
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from onefold.commands.metrics import metrics
from onefold.errors import Fatal, Retriable
from onefold.load.ledger import Run
from onefold.metrics.answers import answer_metrics
from onefold.metrics.ledger import read_metrics
from onefold.metrics.service import application
from onefold.metrics.text import Metric, Sample, exposition
from onefold.notify.alert import open_alert
from onefold.rollback.lifecycle import execute_rollback, plan_rollback
from onefold.rollback.request import RollbackRequest
from onefold.serve.answer_counts import BOUNDS, AnswerCounts
from onefold.settings import ROOT
from tests.approvals import record_decision
from tests.load.shop import SHOP, Shop, record
from tests.retention.conftest import Warehouse
from tests.roles import as_role
from tests.rollback.test_tried_again import ACTOR, CATALOG

STREAM = '{system="shop",stream="customer"'
MONITORING = ROOT / "monitoring"


def scraped(shop: Shop) -> dict[str, float]:
    """Each series with its value, as who only audits reads them."""
    with psycopg.connect(as_role(shop.url, "onefold_auditor")) as connection:
        text = exposition(read_metrics(connection, {"shop": SHOP}))
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {series: float(value) for series, value in (line.rsplit(" ", 1) for line in lines)}


def counters(shop: Shop) -> dict[str, float]:
    return {series: value for series, value in scraped(shop).items() if "_total" in series}


def rolled_back(shop: Shop, request: RollbackRequest) -> None:
    number = plan_rollback(shop.url, CATALOG, request, Run("rollback", "manual__1", ACTOR)).rollback_id
    assert number is not None
    record_decision(shop.url, number, "approver", approved=True)
    execute_rollback(shop.url, CATALOG, number, ACTOR)


def test_a_stream_has_its_counters_before_its_first_load_and_no_age(shop: Shop) -> None:
    found = scraped(shop)
    assert found[f'onefold_loads_total{STREAM},outcome="published"}}'] == 0
    assert (
        found[f"onefold_stream_freshness_sla_seconds{STREAM}}}"] == SHOP.streams["customer"].freshness.total_seconds()
    )
    assert f"onefold_stream_data_timestamp_seconds{STREAM}}}" not in found
    assert found[f"onefold_stream_freshness_objective_ratio{STREAM}}}"] == 0.99


def test_metrics_say_what_the_ledger_says(shop: Shop) -> None:
    shop.load([record("a", 1), record("b", 2)])
    load = shop.load([record("a", 3), record("c", 4, credit=-1)])
    with psycopg.connect(shop.url) as connection:
        connection.execute(
            "insert into ops.usage (api_client, month, system, stream, status, requests, bytes, milliseconds)"
            " values ('crm', '2026-11-01', 'api', 'usage', '200', 7, 70, 7),"
            " ('crm', '2026-11-01', 'krs', 'extract', '200', 2, 20, 2)"
        )
        open_alert(connection, "os:tester", "drift", "shop.customer", "one differs")
    found = scraped(shop)
    assert found[f"onefold_stream_data_timestamp_seconds{STREAM}}}"] == load.window_end.timestamp()
    assert found[f'onefold_loads_total{STREAM},outcome="published"}}'] == 2
    assert found[f"onefold_rows_read_total{STREAM}}}"] == 4
    assert found[f"onefold_rows_written_total{STREAM}}}"] == 3
    assert (
        found[f"onefold_rows_quarantined_total{STREAM}}}"] == found[f"onefold_stream_quarantined_rows{STREAM}}}"] == 1
    )
    assert found['onefold_alerts_open{kind="drift"}'] == 1
    assert not [series for series in found if 'system="api"' in series], "whom we answered is no source"
    assert found['onefold_requests_total{system="krs",stream="extract"}'] == 2, "a register that was asked for it is"


def test_no_counter_falls_when_loads_are_rolled_back_or_that_is_undone(shop: Shop) -> None:
    load = shop.load([record("a", 1)])
    before = counters(shop)
    rolled_back(shop, RollbackRequest((load.load_id,), reason="wrong prices"))
    after = counters(shop)
    (number,) = shop.query("select rollback_id from ops.rollback")[0]
    rolled_back(shop, RollbackRequest(reason="they were right", undo=number))
    last = counters(shop)
    changed = {series for series in before if last[series] != before[series]}
    assert all(before[series] <= after[series] <= last[series] for series in before)
    assert changed == {'onefold_rollbacks_total{kind="rollback"}', 'onefold_rollbacks_total{kind="undo"}'}


def test_no_counter_falls_when_retention_deletes_from_the_ledger(shop: Shop, warehouse: Warehouse) -> None:
    loads = [shop.load([record("a", 0)]) for _ in range(4)]
    warehouse.execute(
        "insert into ops.usage (load_id, system, stream, status, requests, bytes, milliseconds)"
        " select load_id, system, stream, '200', 3, 100, 1 from ops.load"
    )
    warehouse.time_passes()
    shop.load([record("a", 0)])
    before = counters(shop)
    warehouse.retain(SHOP)
    assert len(warehouse.query("select from ops.load")) < len(loads)
    assert warehouse.query("select from ops.usage") == []
    assert counters(shop) == before
    assert before[f"onefold_requests_total{STREAM}}}"] == 12


def test_no_label_is_a_run_a_window_or_a_key(shop: Shop) -> None:
    for minute in (1, 2):
        shop.load([record("a", minute)])
    series = scraped(shop)
    assert {name for each in series for name in re.findall(r'(\w+)="', each)} <= {"system", "stream", "outcome", "kind"}
    shop.load([record("b", 3)])
    assert scraped(shop).keys() == series.keys()


def test_the_api_tells_its_answers_and_how_long_they_took() -> None:
    counts = AnswerCounts()
    for status, seconds in ((200, 0.004), (304, 0.005), (503, 0.7), (200, 60)):
        counts.add(status, seconds)
    text = exposition(answer_metrics(counts.by_class, BOUNDS, counts.took, counts.seconds))
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    found = {series: float(value) for series, value in (line.rsplit(" ", 1) for line in lines)}
    assert {status: found[f'onefold_api_answers_total{{status="{status}"}}'] for status in counts.by_class} == {
        "2xx": 2, "3xx": 1, "4xx": 0, "5xx": 1,
    }  # fmt: skip
    within = {
        le: found[f'onefold_api_answer_seconds_bucket{{le="{le}"}}'] for le in ("0.005", "0.5", "1", "10", "+Inf")
    }
    assert within == {"0.005": 2, "0.5": 2, "1": 3, "10": 3, "+Inf": 4}
    assert (found["onefold_api_answer_seconds_count"], found["onefold_api_answer_seconds_sum"]) == (4, 60.709)


def test_a_label_cannot_write_a_line_of_its_own() -> None:
    sample = Sample(1.5, {"kind": 'a"} 1\n\\x'})
    assert exposition([Metric("m", "gauge", "Help.", [sample])]) == (
        '# HELP m Help.\n# TYPE m gauge\nm{kind="a\\"} 1\\n\\\\x"} 1.5\n'
    )


def test_who_has_not_the_token_gets_nothing() -> None:
    client = TestClient(application(lambda: "m 1\n", "the token"))
    assert client.get("/metrics").status_code == 401
    assert (
        client.get("/metrics", headers={"Authorization": "Bearer the tokem"}).text == "the token is missing or wrong\n"
    )
    answer = client.get("/metrics", headers={"Authorization": "Bearer the token"})
    assert (answer.text, answer.headers["content-type"]) == ("m 1\n", "text/plain; version=0.0.4; charset=utf-8")


def test_without_a_token_only_this_machine_is_answered_and_by_no_other_name() -> None:
    client = TestClient(application(lambda: "m 1\n", None))
    assert client.get("/metrics", headers={"Host": "127.0.0.1:8097"}).status_code == 200
    assert client.get("/metrics", headers={"Host": "rebound.example"}).status_code == 400
    refused = CliRunner().invoke(metrics, ["--host", "192.0.2.1"])
    assert isinstance(refused.exception, Fatal) and "ONEFOLD_METRICS_TOKEN" in str(refused.exception)


def test_a_warehouse_that_is_down_is_said_and_is_no_empty_answer() -> None:
    def read() -> str:
        raise Retriable("The warehouse cannot be reached.")

    client = TestClient(application(read, "t"))
    assert client.get("/health").status_code == 200, "it is the warehouse that has to be started"
    answer = client.get("/metrics", headers={"Authorization": "Bearer t"})
    assert (answer.status_code, answer.text) == (503, "The warehouse cannot be reached.\n")


@pytest.mark.parametrize("name", ["onefold.rules.yml", "onefold.dashboard.json"])
def test_rules_and_dashboard_ask_only_for_metrics_that_there_are(shop: Shop, name: str) -> None:
    text = (MONITORING / name).read_text()
    with psycopg.connect(shop.url) as connection:
        served = {metric.name for metric in read_metrics(connection, {"shop": SHOP})}
    of_the_api = list(answer_metrics({"2xx": 1}, (1.0,), [1, 0], 0.1))
    served |= {metric.name + sample.suffix for metric in of_the_api for sample in metric.samples}
    assert set(re.findall(r"\bonefold_\w+", text)) <= served
    rules = (MONITORING / "onefold.rules.yml").read_text()
    assert set(re.findall(r"\bonefold:[\w:]+", text)) <= set(re.findall(r"- record: (\S+)", rules))
    if name.endswith("json"):
        panels = json.loads(text)["panels"]
        assert all(panel["targets"][0]["expr"] for panel in panels)


def test_the_command_prints_the_metrics_as_they_are_now(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", as_role(shop.url, "onefold_auditor"))
    said = CliRunner().invoke(metrics, ["--once"])
    assert said.exit_code == 0
    assert 'onefold_stream_freshness_sla_seconds{system="salesforce",stream="account"}' in said.output
