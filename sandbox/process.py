"""Runs the real sandbox as a process of its own, for tests: started on a free port, gone at the end."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox: where it answers, the token that opens its truth, the URLs to read its databases, and the
    folder where it keeps its files."""

    url: str
    truth_token: str
    process: subprocess.Popen[bytes]
    databases: Mapping[str, str] = field(default_factory=dict)
    state: Path | None = None

    def control(self, path: str, /, **body: object) -> dict[str, object]:
        """POSTs to /control/`path` and returns the answer. Raises requests.HTTPError when it is refused."""
        response = requests.post(f"{self.url}/control/{path}", json=body, timeout=30)
        response.raise_for_status()
        return response.json()

    def truth(self, of: str | None = None) -> dict[str, object]:
        """Which record is which company, in all streams or in this one ("system.stream")."""
        headers = {"X-Truth-Token": self.truth_token}
        response = requests.get(f"{self.url}/control/truth", params={"of": of}, headers=headers, timeout=30)
        response.raise_for_status()
        return response.json()

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=10)


def free_port() -> int:
    """A port on which nobody listens right now, below those that outgoing connections get, which might take it."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def running(
    state: Path,
    companies: int = 200,
    seed: int = 7,
    environment: Mapping[str, str] | None = None,
    databases: Mapping[str, str] | None = None,
) -> Iterator[Sandbox]:
    """The sandbox over this world, ready to answer. Raises RuntimeError with its output when it does not start.

    `databases` are URLs to read those that `environment` lets it fill (SANDBOX_ERP_URL), by system.
    """
    port, token = free_port(), secrets.token_urlsafe(16)
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--state", str(state)]
    command += ["--companies", str(companies), "--seed", str(seed)]
    variables = {**os.environ, "SANDBOX_TRUTH_TOKEN": token, **(environment or {})}
    output = state / "sandbox.log"
    state.mkdir(parents=True, exist_ok=True)
    with output.open("ab") as log:
        process = subprocess.Popen(command, cwd=root, env=variables, stdout=log, stderr=log)
    sandbox = Sandbox(f"http://127.0.0.1:{port}", token, process, databases or {}, state)
    try:
        _wait(sandbox, output)
        yield sandbox
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            sandbox.kill()


def _wait(sandbox: Sandbox, output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and sandbox.process.poll() is None:
        try:
            if requests.get(f"{sandbox.url}/health", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    said = output.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"the sandbox did not start within {START_SECONDS} s; it said:\n{said}")
