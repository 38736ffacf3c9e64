"""A real Prometheus scrapes our metrics by our configuration, and answers each query of the rules and the dashboard."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
import uvicorn
import yaml

from onefold.metrics.answers import answer_metrics
from onefold.metrics.ledger import read_metrics
from onefold.metrics.service import application
from onefold.metrics.text import exposition
from onefold.platform.postgres import free_port
from onefold.settings import ROOT
from tests.foreign_server import answers_http, started
from tests.load.shop import SHOP, Shop, record
from tests.platform.polling import until

pytestmark = pytest.mark.peers
MONITORING = ROOT / "monitoring"
MAY_BE_EMPTY = {
    "Used part of the source's quota",
    "Behind the end of the source's log",
    "Withheld values",
    "Records that differ from the source",
    "Last publish failed",
    "Used part of the freshness budget, over three days",
}
"""Panels of what this warehouse has not, or has none of; the budget's looks at whole hours, and none has passed."""


@pytest.fixture
def scraped(shop: Shop) -> Iterator[str]:
    """Address of a service with the metrics of a warehouse and those of an API."""
    shop.load([record("a", 1), record("b", 2, credit=-1)])

    def read() -> str:
        with psycopg.connect(shop.url) as connection:
            of_the_api = answer_metrics({"2xx": 90, "5xx": 1}, (0.1, 1.0), [80, 9, 2], 7.5)
            return exposition([*read_metrics(connection, {"shop": SHOP}), *of_the_api])

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(application(read, None), host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started, 30)
    yield f"127.0.0.1:{port}"
    server.should_exit = True
    thread.join(30)


@pytest.fixture
def prometheus(promtool: Path, scraped: str, tmp_path: Path) -> Iterator[str]:
    """Its address; it was told by our configuration, but for where the service is and how often it looks."""
    told = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    told["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    told["rule_files"] = [str(MONITORING / name) for name in told["rule_files"]]
    told["scrape_configs"] = [told["scrape_configs"][0] | {"scrape_timeout": "1s"}]
    told["scrape_configs"][0]["static_configs"] = [{"targets": [scraped]}]
    (tmp_path / "prometheus.yml").write_text(json.dumps(told))
    address, log = f"127.0.0.1:{free_port()}", tmp_path / "log"
    command = [
        promtool.with_name("prometheus"),
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address={address}",
    ]
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output)
    with started(server, log, lambda: answers_http(f"http://{address}/-/ready")):
        yield f"http://{address}"


def asked(prometheus: str, query: str) -> list[Any]:
    answer = requests.get(f"{prometheus}/api/v1/query", {"query": query}, timeout=60).json()
    assert answer["status"] == "success", f"{query}: {answer}"
    return list(answer["data"]["result"])


def test_a_real_prometheus_scrapes_evaluates_every_rule_and_answers_each_panel(prometheus: str) -> None:
    until(lambda: asked(prometheus, "onefold:stream_stale:avg1h"), 60)
    began = time.time()
    until(lambda: asked(prometheus, f"timestamp(onefold_rows_read_total) > {began + 1}"), 60)
    groups = requests.get(f"{prometheus}/api/v1/rules", timeout=60).json()["data"]["groups"]
    told = yaml.safe_load((MONITORING / "onefold.rules.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) == sum(len(group["rules"]) for group in told)
    assert {rule["name"]: rule["lastError"] for rule in rules if rule["health"] != "ok"} == {}
    (target,) = requests.get(f"{prometheus}/api/v1/targets", timeout=60).json()["data"]["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")
    panels = json.loads((MONITORING / "onefold.dashboard.json").read_text())["panels"]
    empty = {
        panel["title"]
        for panel in panels
        for target in panel["targets"]
        if not asked(prometheus, target["expr"].replace("$system", ".*"))
    }
    assert empty <= MAY_BE_EMPTY
