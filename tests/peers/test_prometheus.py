"""Prometheus' own promtool reads our metrics, and each alert rule does what it is for."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import psycopg
import pytest
import yaml

from onefold.metrics.ledger import read_metrics
from onefold.metrics.text import exposition
from onefold.settings import ROOT
from tests.debian import unpack
from tests.load.shop import SHOP, Shop, record

pytestmark = pytest.mark.peers
RULES = ROOT / "monitoring" / "onefold.rules.yml"
NAMES = [rule["alert"] for rule in yaml.safe_load(RULES.read_text())["groups"][0]["rules"]]
STREAM = '{system="shop",stream="customer"}'
SLA = f"onefold_stream_freshness_sla_seconds{STREAM}"
DATA = f"onefold_stream_data_timestamp_seconds{STREAM}"
PROMTOOL = "usr/bin/promtool"
HOUR, DAY = 60, 24 * 60
Series = Mapping[str, str]
QUIET: Series = {SLA: f"{26 * 3600}x{10 * HOUR}", DATA: f"0x{10 * HOUR}"}
"""Ten hours, minute by minute, of a stream that may be a day old."""


@pytest.fixture(scope="session")
def promtool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, installed or fetched once a session."""
    if found := shutil.which("promtool"):
        return Path(found)
    cache = tmp_path_factory.mktemp("prometheus")
    unpack("prometheus", cache, needs="")
    return cache / PROMTOOL


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
    done = subprocess.run([promtool, "test", "rules", path], capture_output=True, text=True, timeout=600)
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
    assert f"{len(NAMES)} rules found" in done.stdout


def test_a_stale_stream_is_alerted_within_two_scrapes_of_its_sla_and_not_before(promtool: Path, tmp_path: Path) -> None:
    stale = {SLA: f"{2 * 3600}x{10 * HOUR}", DATA: f"0x{4 * HOUR} {4 * 3600}x{6 * HOUR}"}
    stale_streams = firing("OnefoldStreamStale")
    expected = [(120, 0), (122, 1), (4 * HOUR, 1), (4 * HOUR + 2, 0)]
    judge(promtool, tmp_path, stale, [(minute, stale_streams, count) for minute, count in expected])


FIRES: Mapping[str, tuple[Series, int, int]] = {
    # the series, the last minute at which it must not fire, the first at which it must
    "OnefoldMetricsMissing": ({SLA: f"7200x10 stale _x{9 * HOUR}"}, 14, 17),
    "OnefoldStreamStale": ({**QUIET, SLA: f"7200x{10 * HOUR}"}, 120, 122),
    "OnefoldLoadFails": ({**QUIET, f"onefold_stream_last_load_failed{STREAM}": f"0x9 1x{9 * HOUR}"}, 69, 71),
    "OnefoldQuotaNearlyUsed": ({**QUIET, f"onefold_stream_quota_used_ratio{STREAM}": f"0.9x9 0.91x{9 * HOUR}"}, 9, 11),
    "OnefoldPublishFailed": ({**QUIET, "onefold_publish_failed": f"0x9 1x{9 * HOUR}"}, 24, 26),
    "OnefoldDeliveryFailed": ({**QUIET, 'onefold_delivery_failed{target="lake"}': f"0x9 1x{9 * HOUR}"}, 24, 26),
    "OnefoldRollback": ({**QUIET, 'onefold_rollbacks_total{kind="rollback"}': f"3x29 4x{9 * HOUR}"}, 29, 31),
    "OnefoldAlertOpen": ({**QUIET, 'onefold_alerts_open{kind="drift"}': f"_x10 1x{9 * HOUR}"}, 9, 11),
}


@pytest.mark.parametrize("name", NAMES)
def test_each_rule_fires_for_what_it_is_for_and_no_other_does(promtool: Path, tmp_path: Path, name: str) -> None:
    series, quiet, fires = FIRES[name]
    others = [(fires, firing(other), 0) for other in NAMES if other != name]
    judge(promtool, tmp_path, series, [(quiet, firing(name), 0), (fires, firing(name), 1), *others])


def test_thirty_quiet_days_bring_no_alert(promtool: Path, tmp_path: Path) -> None:
    """Nightly loads that begin up to an hour late and take up to half an hour, of ten streams; a load a week fails and
    is mended within the hour; a restart of the service loses four scrapes a week; counters rise."""
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
    ever = 'count(count_over_time(ALERTS{alertstate="firing"}[31d])) or vector(0)'
    judge(promtool, tmp_path, series, [(days * DAY - 1, ever, 0)])
