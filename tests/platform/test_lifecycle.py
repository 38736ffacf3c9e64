"""What `up` ends before it starts what is missing."""

from __future__ import annotations

import math
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from onefold.catalog.system import System
from onefold.platform import own_services, processes
from onefold.platform.lifecycle import installation, stale
from onefold.platform.processes import Service
from onefold.platform.secrets import load_secrets
from onefold.platform.status import platform_status
from onefold.platform.watchdog.observe import service_seen
from onefold.settings import Settings
from tests.platform.polling import until
from tests.platform.test_postgres import Start

WAITS = [sys.executable, "-c", "import time; time.sleep(600)"]
SERVICES = [Service(name, WAITS, {}) for name in ("sandbox", "scheduler", "watchdog")]


@pytest.fixture
def running(home: Path) -> Iterator[dict[str, processes.Running]]:
    yield {service.name: processes.start(home, service) for service in SERVICES}
    processes.stop(home, list(processes.recorded(home).values()), seconds=1)


def names(found: list[processes.Running]) -> list[str]:
    return [service.name for service in found]


def test_a_service_older_than_its_database_is_ended_for_it_may_be_dying(
    home: Path, running: dict[str, processes.Running], start_postgres: Start
) -> None:
    assert names(stale(home, SERVICES, math.inf)) == ["scheduler"]
    postgres = start_postgres(home)
    assert names(stale(home, SERVICES, postgres.started())) == ["scheduler"]
    processes.stop(home, [running["scheduler"]])
    processes.start(home, SERVICES[1])
    assert stale(home, SERVICES, postgres.started()) == []
    postgres.stop(signal.SIGQUIT)
    assert postgres.started() == math.inf
    assert names(stale(home, SERVICES, postgres.started())) == ["scheduler"]


def test_what_is_dead_changed_or_none_of_the_services_is_ended(
    home: Path, running: dict[str, processes.Running]
) -> None:
    leader = running["watchdog"].leader()
    assert leader
    leader.kill()
    until(lambda: running["watchdog"].leader() is None)
    changed = Service("sandbox", WAITS, {"PORT": "2"})
    assert names(stale(home, [changed, SERVICES[2]], 0)) == ["sandbox", "scheduler", "watchdog"]


@pytest.mark.parametrize("webhook", [None, {"signature": "github"}], ids=["no webhook", "a webhook"])
def test_what_receives_webhooks_runs_where_the_catalogue_has_one_and_only_adds_to_the_inbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, webhook: dict[str, str] | None
) -> None:
    stream = {"title": "Rings", "webhook": webhook, "primary_key": ["id"], "fields": {"id": "text"}}
    head = {"system": "bell", "title": "Bell", "protocol": "webhook" if webhook else "rest", "connection": "bell"}
    system = System.model_validate({**head, "schedule": "0 * * * *", "streams": {"ring": stream}})
    monkeypatch.setattr(own_services, "read_systems", lambda: {"bell": system})
    (tmp_path / "plugins").mkdir()
    found = installation(Settings(tmp_path, tmp_path / "home", 1, 2, 3, hooks_port=4), sandbox=False)
    hooks = [service for service in found.services if service.name == "hooks"]
    assert len(hooks) == bool(webhook)
    for service in hooks:
        assert service.command[-2:] == ["--port", "4"]
        values = "".join(service.environment.values())
        passwords = load_secrets(tmp_path / "home").database
        assert {role for role, password in passwords.items() if password in values} == {"onefold_receiver"}


@pytest.mark.parametrize("token", [None, "a long random text"])
def test_metrics_run_with_the_auditors_password_the_token_of_a_scrape_and_no_other_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    monkeypatch.setattr(own_services, "read_systems", dict)
    if token:
        monkeypatch.setenv("ONEFOLD_METRICS_TOKEN", token)
    (tmp_path / "plugins").mkdir()
    found = installation(Settings(tmp_path, tmp_path / "home", 1, 2, 3, metrics_port=4), sandbox=False)
    (metrics,) = [service for service in found.services if service.name == "metrics"]
    assert metrics.command[-2:] == ["--port", "4"], "it listens on 127.0.0.1: no --host"
    assert metrics.environment.get("ONEFOLD_METRICS_TOKEN") == token
    assert found.watchdog.environment["ONEFOLD_METRICS_PORT"] == "4"
    secrets = load_secrets(tmp_path / "home")
    values = "".join(metrics.environment.values())
    assert {role for role, password in secrets.database.items() if password in values} == {"onefold_auditor"}
    assert secrets.audit_salt not in values and secrets.api_secret not in values


@pytest.mark.parametrize("name", processes.OWN)
def test_status_shows_each_of_our_web_services_and_that_it_has_died(home: Path, name: str) -> None:
    here = Settings(home, home, 1, 2, 3, hooks_port=4, api_port=4, metrics_port=4)
    assert name not in {service.name for service in platform_status(here).services}
    running = processes.start(home, Service(name, WAITS, {}))
    leader = running.leader()
    assert leader
    for state in ("up", "died"):
        (seen,) = [service for service in platform_status(here).services if service.name == name]
        assert (seen.state, seen.port) == (state, 4)
        leader.kill()
        until(lambda: running.leader() is None)
    processes.stop(home, [running])


class Well(BaseHTTPRequestHandler):
    """Answers as a service that is well."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()


def test_the_watchdog_takes_an_own_web_service_for_silent_once_it_does_not_answer_at_health(home: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Well) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_port
        here = Settings(home, home, 1, 2, 3, hooks_port=port, api_port=port, metrics_port=port)
        for name in processes.OWN:
            running = processes.start(home, Service(name, WAITS, {}))
            seen = service_seen(name, running, {}, 7, here)
            assert (seen.alive, seen.gives_signs, seen.sign) == (True, True, "look 7")
            hangs = service_seen(name, running, {}, 8, replace(here, hooks_port=1, api_port=1, metrics_port=1))
            assert (hangs.alive, hangs.gives_signs, hangs.sign) == (True, True, None)
            processes.stop(home, [running], seconds=1)
            assert not service_seen(name, running, {}, 9, here).alive
        server.shutdown()
