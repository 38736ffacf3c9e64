"""Ends the wait for a library whose own time-outs begin anew with each byte that arrives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T]) -> T:
    """What the call gives, or raises. Raises TimeoutError after so long; the call is then left to itself, in a thread
    that ends with the process."""
    given: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            given.append(call())
        except BaseException as error:  # noqa: BLE001  it is raised in the thread that waits
            raised.append(error)

    thread = threading.Thread(target=run, name="within a time limit", daemon=True)
    thread.start()
    thread.join(seconds)
    if raised:
        raise raised[0]
    if not given:
        raise TimeoutError(f"not done within {seconds:g} s")
    return given[0]
