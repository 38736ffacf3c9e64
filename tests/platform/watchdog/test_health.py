"""The page that monitors ask: healthy only while everything runs and nothing stands still; no more than states."""

from __future__ import annotations

import json
from dataclasses import replace

from fastapi import FastAPI
from fastapi.testclient import TestClient

from onefold.platform.health import HealthPage, health, health_of_containers
from onefold.platform.status import SERVICES, PlatformStatus, ServiceStatus, WatchdogStatus
from onefold.platform.watchdog.journal import Journal
from onefold.platform.watchdog.problems import Problem

UP = PlatformStatus(
    "/home/of/onefold",
    tuple(ServiceStatus(name, "up", 1, None, None) for name in ("postgres", *SERVICES)),
    WatchdogStatus(None, (), {}, ()),
    "http://127.0.0.1:8080",
    "engineer",
)


def test_what_is_down_or_silent_or_stands_still_is_unhealthy() -> None:
    assert health(UP)[0] == 200
    silent = replace(UP, services=(*UP.services[:-1], ServiceStatus("watchdog", "silent", 1, None, None)))
    stuck = replace(UP, watchdog=replace(UP.watchdog, problems=(Problem("standstill", "tasks", "A task has waited."),)))
    for found in (silent, stuck):
        status, body = health(found)
        assert (status, body["status"]) == (503, "unhealthy")
    assert health(stuck)[1]["stands_still"] == [{"kind": "standstill", "subject": "tasks"}]


def test_of_containers_the_watchdog_says_what_is_wrong() -> None:
    assert health_of_containers(Journal(1000, 10), 1005)[0] == 200
    assert health_of_containers(Journal(1000, 10), 2000)[0] == health_of_containers(None, 1)[0] == 503
    stuck = Journal(1000, 10, (Problem("service", "scheduler", "scheduler gives no sign of life."),))
    assert health_of_containers(stuck, 1005)[0] == 503


def test_the_page_is_open_to_monitors_and_names_no_folder_port_or_message() -> None:
    def answer() -> tuple[int, bytes]:
        status, body = health(UP)
        return status, json.dumps(body).encode()

    airflow = FastAPI()
    airflow.mount("/onefold", HealthPage(answer))
    client = TestClient(airflow)
    page = client.get("/onefold/health")
    assert page.status_code == 200 and page.json()["services"]["watchdog"] == "up"
    assert "/home" not in page.text and "8080" not in page.text
    assert client.head("/onefold/health").status_code == 200
    assert client.get("/onefold/other").status_code == client.post("/onefold/health").status_code == 404
