"""The sandbox as a process of its own, and the systems of the catalogue connected to it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.reader import read_systems
from onefold.connectors.page import Page, PageReader
from onefold.connectors.window import BEGINNING, Window
from onefold.http.attempt import Attempt
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from sandbox.process import free_port
from tests.connectors.reading import reader

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Sandbox:
    """A running sandbox."""

    url: str

    def fault(self, **fault: object) -> None:
        answer = requests.post(f"{self.url}/control/faults", json=fault, timeout=10)
        assert answer.ok, answer.text

    def clear(self) -> None:
        assert requests.delete(f"{self.url}/control/faults", timeout=10).ok

    def advance(self, **change: int) -> None:
        answer = requests.post(f"{self.url}/control/advance", json=change, timeout=30)
        assert answer.ok, answer.text


@dataclass
class Connected:
    """One stream of the catalogue, read from the sandbox; the sleeps between attempts are only noted."""

    sandbox: Sandbox
    system: str
    stream: str
    login: str
    url: str
    attempts: list[Attempt] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def reader(self) -> PageReader:
        system = read_systems()[self.system]
        endpoint = Endpoint(self.url, self.login, "sandbox-secret", {"rate": "100000/s"})
        client = Client(
            system,
            endpoint,
            self.attempts.append,
            limiter=MemoryLimiter(),
            stream=self.stream,
            breakers=SyncCircuitBreakerFactory(default_threshold=100),
            sleep=self.slept.append,
        )
        return reader(system, self.stream, endpoint, client, lambda after, changed: iter(()))

    def pages(self, window: Window | None = None, token: str | None = None) -> list[Page]:
        return list(self.reader()(window or everything(), token))

    def versions(self, window: Window | None = None, token: str | None = None) -> dict[tuple[str, str], bytes]:
        """Every version of every record by key and cursor: what a load would keep."""
        found: dict[tuple[str, str], bytes] = {}
        for page in self.pages(window, token):
            for record in page.records:
                assert record.key is not None
                assert record.cursor is not None
                found[record.key, record.cursor] = record.payload
        return found


def everything() -> Window:
    return Window(BEGINNING, datetime.now(UTC) + timedelta(days=3650))


@contextmanager
def running(state: Path, companies: int, environment: dict[str, str]) -> Iterator[Sandbox]:
    """Start `python -m sandbox` on a free port and stop it at the end."""
    port = free_port()
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--state", str(state)]
    process = subprocess.Popen([*command, "--companies", str(companies)], cwd=ROOT, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while not _answers(url):
            assert process.poll() is None and time.monotonic() < deadline, "the sandbox did not start"
            time.sleep(0.05)
        yield Sandbox(url)
    finally:
        process.terminate()
        process.wait(15)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=2).ok
    except requests.RequestException:
        return False


def names(payload: bytes) -> set[str]:
    return set(json.loads(payload))
