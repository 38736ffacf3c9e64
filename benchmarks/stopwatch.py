"""What a task waits for: imported by the scheduler before it forks, so that it is in every task of a measured demo.

Each task's process writes its spans to <home>/stopwatch/<pid>.json, in seconds since 1970:

- sql: a call of psycopg that waits for the warehouse, connecting included;
- extracting and gating: what the load ledger calls seconds_extracting and seconds_gating;
- engine: the whole of what the engine does for the task; what is outside is Airflow's.

Beside them, the modules that the task had to import itself. Never import this where anything else is measured.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

import psycopg

from onefold.load import landing
from onefold.orchestration.tasks import conform, sync
from onefold.settings import settings

_spans: list[tuple[str, float, float]] = []
_inherited: set[str] = set()


def _forked() -> None:
    _spans.clear()
    _inherited.update(sys.modules)


def _note(kind: str, began: float) -> None:
    if not _spans:  # not earlier: a task's process forgets what was registered before it was forked
        atexit.register(_write)
    _spans.append((kind, began, time.time()))


def _write() -> None:
    folder = settings().home / "stopwatch"
    folder.mkdir(exist_ok=True)
    seen = {"spans": _spans, "imported": sorted(set(sys.modules) - _inherited)}
    (folder / f"{os.getpid()}.json").write_text(json.dumps(seen))


@contextmanager
def _span(kind: str) -> Iterator[None]:
    began = time.time()
    try:
        yield
    finally:
        _note(kind, began)


def _timed(kind: str, function: Callable[..., object]) -> Callable[..., object]:
    @wraps(function)
    def timed(*arguments: object, **named: object) -> object:
        with _span(kind):
            return function(*arguments, **named)

    return timed


def _told(kind: str, function: Callable[..., object]) -> Callable[..., object]:
    """The engine tells the ledger how long something took, as it ends."""

    @wraps(function)
    def told(connection: psycopg.Connection, load: object, seconds: float) -> object:
        _note(kind, time.time() - seconds)
        return function(connection, load, seconds)

    return told


os.register_at_fork(after_in_child=_forked)
psycopg.Connection.wait = _timed("sql", psycopg.Connection.wait)
psycopg.connect = _timed("sql", psycopg.connect)
landing.finish_landing = _told("extracting", landing.finish_landing)
landing.mark_gated = _told("gating", landing.mark_gated)
sync.step = _timed("engine", sync.step)
conform.conform = _timed("engine", conform.conform)
