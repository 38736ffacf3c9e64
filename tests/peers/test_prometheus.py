"""Prometheus' own promtool reads our metrics, and each alert rule does what it is for."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import psycopg
import pytest
import yaml

from onefold.metrics.ledger import read_metrics
from onefold.metrics.text import exposition
from onefold.settings import ROOT
from tests.load.shop import SHOP, Shop, record

pytestmark = [pytest.mark.peers, pytest.mark.timeout(3600)]
RULES = ROOT / "monitoring" / "onefold.rules.yml"
_ALL = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
NAMES = [rule["alert"] for rule in _ALL if "alert" in rule]
STREAM = '{system="shop",stream="customer"}'
SLA = f"onefold_stream_freshness_sla_seconds{STREAM}"
DATA = f"onefold_stream_data_timestamp_seconds{STREAM}"
HOUR, DAY = 60, 24 * 60
RUN_SECONDS = 1800
"""How long promtool may take: for 30 days of every rule, minute by minute, some minutes of processor time."""
Series = Mapping[str, str]
OBJECTIVE = f"onefold_stream_freshness_objective_ratio{STREAM}"
QUIET: Series = {SLA: f"{26 * 3600}x{10 * HOUR}", DATA: f"0x{10 * HOUR}", OBJECTIVE: f"0.99x{10 * HOUR}"}
"""Ten hours, minute by minute, of a stream that may be a day old."""


def answers(well: str, failed: str, slow: str) -> Series:
    """Of the register API: what it answered within a second, not at all, and later, as Prometheus' tests write it."""
    name = "onefold_api_answer_seconds"
    return {
        **QUIET,
        'onefold_api_answers_total{status="2xx"}': well,
        'onefold_api_answers_total{status="5xx"}': failed,
        f'{name}_bucket{{le="1"}}': well,
        f"{name}_count": slow,
    }


def judge(promtool: Path, folder: Path, series: Series, expected: Iterable[tuple[int, str, int]]) -> None:
    """Run the rules over the series, a value a minute. `expected`: minute, PromQL, and what that must be then."""
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {"expr": query, "eval_time": f"{minute}m", "exp_samples": [{"labels": "{}", "value": value}]}
                    for minute, query, value in expected
                ],
            }
        ],
    }
    path = folder / "test.yml"
    path.write_text(json.dumps(test))
    done = subprocess.run([promtool, "test", "rules", path], capture_output=True, text=True, timeout=RUN_SECONDS)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


def firing(name: str) -> str:
    return f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) or vector(0)'


def test_promtool_finds_no_fault_in_the_metrics_of_a_warehouse(promtool: Path, shop: Shop) -> None:
    shop.load([record("a", 1), record("b", 2, credit=-1)])
    with psycopg.connect(shop.url) as connection:
        text = exposition(read_metrics(connection, {"shop": SHOP}))
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_promtool_finds_no_fault_in_the_configuration_and_the_rules(promtool: Path) -> None:
    done = subprocess.run(
        [promtool, "check", "config", RULES.with_name("prometheus.yml")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(_ALL)} rules found" in done.stdout


def test_a_stale_stream_is_alerted_within_two_scrapes_of_its_sla_and_not_before(promtool: Path, tmp_path: Path) -> None:
    stale = {SLA: f"{2 * 3600}x{10 * HOUR}", DATA: f"0x{4 * HOUR} {4 * 3600}x{6 * HOUR}"}
    stale_streams = firing("OnefoldStreamStale")
    expected = [(120, 0), (122, 1), (4 * HOUR, 1), (4 * HOUR + 2, 0)]
    judge(promtool, tmp_path, stale, [(minute, stale_streams, count) for minute, count in expected])


RARE = " ".join(f"{number}x4" for number in range(1, 96))
"""A failed answer every five minutes: 0.33 %."""
TOO = {f"Onefold{what}BudgetFast": f"Onefold{what}BudgetSlow" for what in ("Freshness", "ApiErrors", "ApiLatency")}
"""What uses a budget up fast has in the end used it up in three days too."""

FIRES: Mapping[str, tuple[Series, int, int]] = {
    # the series, the last minute at which it must not fire, the first at which it must
    "OnefoldMetricsMissing": ({SLA: f"7200x10 stale _x{9 * HOUR}"}, 14, 17),
    "OnefoldStreamStale": ({**QUIET, SLA: f"7200x{10 * HOUR}"}, 120, 122),
    "OnefoldLoadFails": ({**QUIET, f"onefold_stream_last_load_failed{STREAM}": f"0x9 1x{9 * HOUR}"}, 69, 71),
    "OnefoldQuotaNearlyUsed": ({**QUIET, f"onefold_stream_quota_used_ratio{STREAM}": f"0.9x9 0.91x{9 * HOUR}"}, 9, 11),
    "OnefoldPublishFailed": ({**QUIET, "onefold_publish_failed": f"0x9 1x{9 * HOUR}"}, 24, 26),
    "OnefoldDeliveryFailed": ({**QUIET, 'onefold_delivery_failed{target="lake"}': f"0x9 1x{9 * HOUR}"}, 24, 26),
    "OnefoldRollback": ({**QUIET, 'onefold_rollbacks_total{kind="rollback"}': f"3x29 4x{9 * HOUR}"}, 29, 31),
    # Stale for eleven minutes, and well again: too much for one hour, not yet for three days.
    "OnefoldFreshnessBudgetFast": ({**QUIET, SLA: f"7200x{10 * HOUR}", DATA: f"0x131 7920x{8 * HOUR}"}, 128, 134),
    # Stale for three minutes of each hour: never much at once.
    "OnefoldFreshnessBudgetSlow": (
        {**QUIET, SLA: f"3400x{10 * HOUR}", DATA: " ".join(f"{hour * 3600}x59" for hour in range(10))},
        57,
        6 * HOUR + 10,
    ),
    "OnefoldApiErrorsBudgetFast": (answers("0+60x600", "0x120 3+3x480", "0+60x600"), 121, 140),
    "OnefoldApiErrorsBudgetSlow": (answers("0+60x600", f"0x120 {RARE}", "0+60x600"), 130, 9 * HOUR),
    "OnefoldApiLatencyBudgetFast": (answers("0+60x600", "0x600", "0+60x120 7220+80x480"), 121, 160),
    "OnefoldApiLatencyBudgetSlow": (answers("0+60x600", "0x600", "0+62x600"), 10, 9 * HOUR),
    "OnefoldAlertOpen": ({**QUIET, 'onefold_alerts_open{kind="drift"}': f"_x10 1x{9 * HOUR}"}, 9, 11),
}


@pytest.mark.parametrize("name", NAMES)
def test_each_rule_fires_for_what_it_is_for_and_no_other_does(promtool: Path, tmp_path: Path, name: str) -> None:
    series, quiet, fires = FIRES[name]
    others = [(fires, firing(other), 0) for other in NAMES if other not in (name, TOO.get(name))]
    judge(promtool, tmp_path, series, [(quiet, firing(name), 0), (fires, firing(name), 1), *others])


def quiet_api(chance: random.Random, days: int) -> Series:
    """Up to 120 answers a minute, more by day than by night; in 3,000 one fails and 15 are slow; it is restarted every
    week, which fails a few, and begins to count from 0."""
    counted = {"well": 0, "failed": 0, "slow": 0}
    lines: dict[str, list[str]] = {name: [] for name in counted}
    for minute in range(days * DAY):
        if minute % (7 * DAY) == 0:
            counted = dict.fromkeys(counted, 0) | {"failed": 4}
        asked = chance.randrange(2, 12) * (10 if 7 <= minute // HOUR % 24 < 19 else 1)
        failed, slow = (sum(chance.random() < rate for _ in range(asked)) for rate in (1 / 3000, 15 / 3000))
        counted = {
            "well": counted["well"] + asked - failed - slow,
            "failed": counted["failed"] + failed,
            "slow": counted["slow"] + asked,
        }
        for name, number in counted.items():
            lines[name].append(str(number))
    well, failed_, all_ = (" ".join(lines[name]) for name in ("well", "failed", "slow"))
    found = dict(answers(well, failed_, all_))
    return {name: values for name, values in found.items() if "onefold_api" in name}


def test_thirty_quiet_days_bring_no_alert(promtool: Path, tmp_path: Path) -> None:
    """Nightly loads that begin up to an hour late and take up to half an hour, of ten streams; a load a week fails and
    is mended within the hour; a restart of the service loses four scrapes a week; counters rise. The API fails and is
    slow within its objectives."""
    chance, days = random.Random(30), 30
    series: dict[str, str] = {
        "onefold_publish_failed": f"0x{days * DAY}",
        'onefold_rollbacks_total{kind="rollback"}': f"2x{days * DAY}",
        'onefold_alerts_open{kind="new_field"}': f"1x{days * DAY}",
    }
    for number in range(10):
        labels = f'{{system="s",stream="t{number}"}}'
        data, failed, sla = [], [], []
        for day in range(days):
            published = 2 * HOUR + chance.randrange(90)
            data.append(f"{(day - 1) * DAY * 60 + 7200}x{published - 1} {day * DAY * 60 + 7200}x{DAY - published - 1}")
            lasts = 50 if day % 7 == number % 7 else 0
            failed.append(f"1x{lasts - 1} 0x{DAY - lasts - 1}" if lasts else f"0x{DAY - 1}")
            sla.append(f"{26 * 3600}x{DAY - 5} _x4" if day % 7 == 3 else f"{26 * 3600}x{DAY - 1}")
        series[f"onefold_stream_data_timestamp_seconds{labels}"] = " ".join(data)
        series[f"onefold_stream_last_load_failed{labels}"] = " ".join(failed)
        series[f"onefold_stream_freshness_sla_seconds{labels}"] = " ".join(sla)
        series[f"onefold_stream_freshness_objective_ratio{labels}"] = f"0.99x{days * DAY}"
    series |= quiet_api(chance, days)
    ever = 'count(count_over_time(ALERTS{alertstate="firing"}[31d])) or vector(0)'
    judge(promtool, tmp_path, series, [(days * DAY - 1, ever, 0)])
