"""Looks again and again whether a system has anything to load, and remembers what a sync was started for.

It goes by what is published, not by events: while what is published stays the same, a sync is started once, and again
only after a pause, for a run that Airflow did not make or that failed. As soon as a load has published, it looks anew:
what came while the load ran starts the next one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import psycopg

from onefold.catalog.reader import read_systems
from onefold.catalog.system import ON_CHANGE, System
from onefold.connectors.peek import Peek
from onefold.connectors.registry import connector_class
from onefold.errors import Fatal, OnefoldError, raised_at
from onefold.settings import warehouse_url
from onefold.warehouse.connection import connect

EVERY = 0.5
"""Seconds between two looks where the YAML's `look` does not say; more where a look itself takes long, of which it is
at most a tenth of the time."""
AGAIN, LONGEST = 30.0, 600.0
"""Seconds after which a sync is started again though nothing was published since; twice as many each time."""
DOWN, LONGEST_DOWN = 1.0, 60.0
"""Seconds until the next look after one that failed, likewise."""

_CHECKPOINTS = "select stream, partition, checkpoint from ops.stream_checkpoint where system = %s"
_WINDOWS = "select stream, '', to_json(window_end) #>> '{}' from ops.cursor where system = %s"

log = logging.getLogger(__name__)

Checkpoints = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Started:
    """For which published checkpoints a sync was started, and when (by the clock) it is started again."""

    checkpoints: Checkpoints
    again_at: float
    pause: float


def _peek_at(system: System) -> Peek:
    from onefold.orchestration.tasks.connections import endpoint

    return connector_class(system).open_peek(system, endpoint(system.connection))


@dataclass
class WatchedSystem:
    """One system with `start: on_change`. Used by one thread."""

    name: str
    peek_at: Callable[[System], Peek] = _peek_at
    clock: Callable[[], float] = time.monotonic
    _started: dict[str, _Started] = field(default_factory=dict)
    _ways: ExitStack = field(default_factory=ExitStack)
    _open: tuple[System, Peek, psycopg.Connection] | None = None
    _failures: int = 0

    def look(self) -> tuple[list[str], float]:
        """The streams for which a sync is to start now, and the seconds until the next look. Raises what Peek and the
        warehouse raise: then failed() is next."""
        began = self.clock()
        found = self._look()
        if self._failures:
            log.info("%s: it can be seen again whether there is anything to load", self.name)
            self._failures = 0
        return found, max(self._every, 9 * (self.clock() - began))

    def failed(self, error: BaseException) -> float:
        """After a look that raised this: the seconds until the next, which opens its ways anew. It is logged once,
        without what a driver says of it, which may quote secrets."""
        self._failures += 1
        if self._failures == 1:
            log.warning("%s: it cannot be seen whether there is anything to load (%s); syncs start at their times, "
                        "and it is tried again", self.name, _shown(error))  # fmt: skip
        return min(DOWN * 2.0 ** min(self._failures - 1, 16), LONGEST_DOWN)

    def close(self) -> None:
        """Close the ways to the source and the warehouse; the next look opens others. Raises what closing raises."""
        ways, self._ways, self._open = self._ways, ExitStack(), None
        ways.close()

    @property
    def _every(self) -> float:
        system = self._open[0] if self._open else None
        return system.look.every.total_seconds() if system and system.look else EVERY

    def _look(self) -> list[str]:
        system, peek, warehouse = self._opened()
        published = _published(warehouse, system)
        return [stream for stream in system.streams if self._is_to_start(stream, published.get(stream, {}), peek)]

    def _is_to_start(self, stream: str, checkpoints: Checkpoints, peek: Peek) -> bool:
        before = self._started.get(stream)
        same = before is not None and before.checkpoints == checkpoints
        if before is not None and same and self.clock() < before.again_at:
            return False
        if not peek.has_more(stream, checkpoints):
            return False
        pause = min(2 * before.pause, LONGEST) if before is not None and same else AGAIN
        self._started[stream] = _Started(checkpoints, self.clock() + pause, pause)
        return True

    def _opened(self) -> tuple[System, Peek, psycopg.Connection]:
        if self._open is None:
            system = read_systems().get(self.name)
            if system is None:
                raise Fatal(f"{self.name} is not in the catalogue any more")
            warehouse = self._ways.enter_context(connect(warehouse_url(), autocommit=True))
            self._open = system, self._ways.enter_context(self.peek_at(system)), warehouse
        return self._open


def _published(warehouse: psycopg.Connection, system: System) -> dict[str, dict[str, str]]:
    """By stream and partition, the checkpoints that loads of the system have published; of a system without log or
    queue the ends of its streams' last windows."""
    found: dict[str, dict[str, str]] = {}
    query = _CHECKPOINTS if system.protocol in ON_CHANGE else _WINDOWS
    for stream, partition, checkpoint in warehouse.execute(query, (system.system,)):
        found.setdefault(stream, {})[partition] = checkpoint
    return found


def _shown(error: BaseException) -> str:
    if isinstance(error, OnefoldError):
        return str(error)
    code = getattr(error, "sqlstate", None)
    return f"{type(error).__name__}{f', SQLSTATE {code}' if code else ''} at {raised_at(error)}"
