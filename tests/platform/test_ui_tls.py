"""With ONEFOLD_UI_CERT Airflow's API server speaks TLS, and who asks it, commands and tasks, checks whom they ask."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import requests
from airflow.sdk.api import client as task_client

from onefold.errors import Fatal
from onefold.platform import api, lifecycle
from onefold.platform.own_services import METRICS
from onefold.settings import UI_TLS, settings
from tests.platform.authority import Authority
from tests.scheduler.installation import Installation


class StandIn(BaseHTTPRequestHandler):
    """Answers everything as a sign-in."""

    def do_GET(self) -> None:
        body = b'{"access_token": "token"}'
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Into no test's output."""


@contextmanager
def server(public: Path, private: Path) -> Iterator[str]:
    """The address of a server that shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    with ThreadingHTTPServer(("127.0.0.1", 0), StandIn) as listening:
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The authority that the settings name, and the certificate that it has signed."""
    ours = Authority(tmp_path / "ours")
    for name, path in zip(UI_TLS, (*ours.certificate(), ours.file), strict=True):
        monkeypatch.setenv(name, str(path))
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    return ours


def test_a_command_asks_a_server_that_our_authority_has_signed_for_and_no_other(
    ours: Authority, tmp_path: Path
) -> None:
    with server(*ours.certificate()) as url:
        assert api.AirflowApi(url, "anna", "password").token == "token"
        assert api.answers(url)
    strangers = Authority(tmp_path / "strangers").certificate(), ours.certificate("127.0.0.9")
    for shown in strangers:
        with server(*shown) as url:
            with pytest.raises(Fatal, match="ONEFOLD_UI_CA"):
                api.AirflowApi(url, "anna", "password")
            assert not api.answers(url)


def test_a_task_asks_a_server_that_our_authority_has_signed_for_and_no_other(ours: Authority, tmp_path: Path) -> None:
    """As Airflow's task process makes its client, from the settings that the scheduler has."""
    wired = lifecycle.installation(settings(), sandbox=False).variables
    checking = task_client.Client._get_ssl_context_cached(
        wired["AIRFLOW__API__SSL_CA_FILE"], wired["AIRFLOW__API__SSL_CERT"]
    )
    with server(*ours.certificate()) as url:
        assert httpx.get(url, verify=checking, trust_env=False).status_code == 201
    with server(*Authority(tmp_path / "strangers").certificate()) as url, pytest.raises(httpx.ConnectError):
        httpx.get(url, verify=checking, trust_env=False)


def test_every_service_is_told_and_the_key_only_the_api_server(ours: Authority) -> None:
    found = lifecycle.installation(settings(), sandbox=False)
    key = os.environ["ONEFOLD_UI_KEY"]
    port = settings().ui_port
    told = [service for service in found.services if service.name != METRICS]  # which asks Airflow nothing
    assert len(told) >= 4
    for service in told:
        assert service.environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"https://127.0.0.1:{port}/execution/"
        assert service.environment["AIRFLOW__API__BASE_URL"] == f"https://127.0.0.1:{port}"
        assert (key in service.environment.values()) == (service.name == "api-server")
        # By those a task checks its sources, whose authorities are others.
        assert not {"REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"} & set(service.environment)
    assert set(UI_TLS) <= set(found.watchdog.environment), "which starts the others anew"


@pytest.mark.parametrize("missing", ["ONEFOLD_UI_CERT", "ONEFOLD_UI_KEY"])
def test_half_a_setting_is_refused(ours: Authority, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setenv(missing, "/no/such/file")
    with pytest.raises(Fatal, match=f"{missing} names /no/such/file, which is not a file"):
        settings()
    monkeypatch.delenv(missing)
    with pytest.raises(Fatal, match=f"{missing} is not set"):
        settings()


def test_airflows_own_setting_is_refused_for_the_others_would_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__SSL_CERT", "/etc/ssl/some.crt")
    with pytest.raises(Fatal, match="ONEFOLD_UI_CERT"):
        lifecycle.installation(settings(), sandbox=False)


@pytest.mark.scheduler
@pytest.mark.torture
def test_a_whole_installation_runs_over_tls(tmp_path: Path) -> None:
    """Sign-in, DAG processor, scheduler, a task's own requests, the watchdog and the commands."""
    ours = Authority(tmp_path / "ours")
    paths = dict(zip(UI_TLS, map(str, (*ours.certificate(), ours.file)), strict=True))
    installation = Installation(more=paths)
    installation.home.chmod(0o755)
    try:
        installation.succeed("up")
        installation.succeed("sync", "nbp")
        states = {row["state"] for row in installation.rows("select distinct state from ops.load")}
        assert states == {"published"}
        assert "https://127.0.0.1" in installation.succeed("status")
        url = f"https://127.0.0.1:{installation.ui_port}/api/v2/version"
        assert requests.get(url, verify=str(ours.file), timeout=30).ok
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url, verify=str(Authority(tmp_path / "strangers").file), timeout=30)
        with pytest.raises(requests.RequestException):
            requests.get(url.replace("https", "http"), timeout=30)
    finally:
        installation.remove()
