"""A server that others wrote, started for tests: waited for until it answers, and ended with them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.platform.polling import until

START_SECONDS = 90


@contextmanager
def started(server: subprocess.Popen[bytes], log: Path, answers: Callable[[], bool]) -> Iterator[None]:
    """The server once it answers; it is ended at the end. Fails the test with what the log says where it has ended
    before, or does not answer in time."""

    def said() -> str:
        return f"the server did not start; it said:\n{log.read_text(errors='replace')[-2000:]}"

    try:
        until(lambda: server.poll() is not None or answers(), START_SECONDS, said)
        if server.poll() is not None:
            pytest.fail(said())
        yield
    finally:
        server.terminate()
        server.wait(30)


def answers_http(url: str) -> bool:
    """Whether something answers there, whatever it says."""
    try:
        requests.get(url, timeout=5)
    except (requests.ConnectionError, requests.Timeout):
        return False
    return True
