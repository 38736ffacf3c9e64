"""Waiting in tests: for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(
    condition: Callable[[], object],
    seconds: float = 10,
    said: Callable[[], str] = lambda: "the condition did not come true in time",
) -> None:
    """Poll until the condition holds; fail the test after `seconds`, with what is `said` then."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, said()
        time.sleep(0.02)
