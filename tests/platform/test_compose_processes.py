"""Each of our own services runs with just what its container has, and its own health check says that it is well."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import yaml

from onefold.platform.postgres import free_port
from onefold.settings import ROOT
from tests.foreign_server import started
from tests.roles import as_role

SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
ROLES = {
    "metrics_url": "onefold_auditor",
    "receiver_url": "onefold_receiver",
    "api_url": "onefold_api",
    "api_writer_url": "onefold_api_writer",
    "warehouse_url": "onefold_loader",
}


def environment(service: str, url: str, folder: Path) -> dict[str, str]:
    """The container's: the image's variables, the service's, and its secrets as files."""
    here = {"/run/secrets": folder / "secrets", "/tmp": folder / "tmp"}
    (folder / "secrets").mkdir()
    for secret in SERVICES[service]["secrets"]:
        text = as_role(url, ROLES[secret]) if secret in ROLES else f"{secret} {'x' * 64}"
        (folder / "secrets" / secret).write_text(text)

    def inside(value: str) -> str:
        """The value with the container's path as it is here, where it begins with one."""
        for path, there in here.items():
            if value.startswith(path):
                return str(there) + value.removeprefix(path)
        return value

    own = {name: inside(value) for name, value in SERVICES[service]["environment"].items()}
    image = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}/plugins:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    return {**image, **own, "ONEFOLD_HOME": str(folder / "state"), "TMPDIR": str(folder / "tmp")}


def words(given: list[str], port: str, instead: int) -> list[str]:
    """A command of the container's as it runs here."""
    here = [sys.executable if word == "python" else word.replace(port, str(instead)) for word in given]
    return ["127.0.0.1" if word == "0.0.0.0" else word for word in here]  # noqa: S104  the container's, not ours


@pytest.mark.parametrize("name", ["metrics", "hooks", "api", pytest.param("watchdog", marks=pytest.mark.full_matrix)])
def test_a_service_is_healthy_with_just_what_its_container_has(name: str, warehouse_url: str, tmp_path: Path) -> None:
    service, port = SERVICES[name], free_port()
    (tmp_path / "tmp").mkdir()
    given = environment(name, warehouse_url, tmp_path)
    listens = service["ports"][0].rpartition(":")[2] if "ports" in service else "no port"
    command, check = words(service["command"], listens, port), words(service["healthcheck"]["test"][1:], listens, port)
    log = tmp_path / "log"

    def healthy() -> bool:
        return subprocess.run(check, env=given, cwd=ROOT, capture_output=True, check=False).returncode == 0

    with log.open("wb") as output:
        process = subprocess.Popen(command, env=given, cwd=ROOT, stdout=output, stderr=output)
    with started(process, log, healthy):
        if service.get("read_only"):
            assert not (tmp_path / "state").exists(), "nothing is written but below /tmp"
        if name == "metrics":
            url = f"http://127.0.0.1:{port}/metrics"
            assert requests.get(url, timeout=60).status_code == 401
            token = {"Authorization": f"Bearer {(tmp_path / 'secrets/metrics_token').read_text()}"}
            assert "onefold_alerts_open" in requests.get(url, headers=token, timeout=60).text
        if name == "api":
            assert requests.get(f"http://127.0.0.1:{port}/v1/sources", timeout=60).status_code == 401
            token = {"Authorization": f"Bearer {(tmp_path / 'secrets/metrics_token').read_text()}"}
            scraped = requests.get(f"http://127.0.0.1:{port}/metrics", headers=token, timeout=60).text
            assert 'onefold_api_answers_total{status="4xx"} 1\n' in scraped
    if "ports" in service:  # the watchdog's sign of life is a file, which grows old (tests/platform/watchdog)
        assert not healthy(), "a service that has ended is not taken for a healthy one"
