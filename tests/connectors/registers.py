"""The sandbox's registers on a socket of this test session, and what is needed to read them through the connectors."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.reader import read_systems
from onefold.catalog.system import System
from onefold.connectors.lookup import LookupScope
from onefold.connectors.page import Page, PageReader
from onefold.connectors.record import Record
from onefold.connectors.window import Window
from onefold.http.attempt import Attempt
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from sandbox.app import create_app
from sandbox.regon.api import USER_KEY
from sandbox.stand_ins import chosen
from sandbox.world import World


@dataclass
class Sandbox:
    """The running sandbox: its address, and the world behind it."""

    url: str
    world: World

    def control(self, method: str, path: str, body: object = None) -> None:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}/control/{path}", data, method=method)  # noqa: S310 - our own server
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server
            assert answer.status < 300

    def fault(self, system: str, kind: str, **more: object) -> None:
        self.control("POST", "faults", {"system": system, "kind": kind, **more})

    def reset(self) -> None:
        self.control("POST", "reset")


@contextmanager
def running(state: Path, companies: int = 200, systems: tuple[str, ...] = ("krs", "regon")) -> Iterator[Sandbox]:
    """The sandbox in this process, of these systems only."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        stand_ins = chosen(systems)
        world = World(companies, books=[book for each in stand_ins for book in each.books])
        config = uvicorn.Config(create_app(world, stand_ins, state), log_level="warning", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive() and time.monotonic() < deadline, "the sandbox did not start"
            thread.join(0.02)
        yield Sandbox(f"http://127.0.0.1:{listening.getsockname()[1]}", world)
        server.should_exit = True
        thread.join(20)


def now_window(days: int = 1) -> Window:
    now = datetime.now(UTC)
    return Window(now - timedelta(days=days), now)


@dataclass
class Asker:
    """The Questions of a test: fixed values, and what the feed named."""

    values: list[str]
    cached: frozenset[str] = frozenset()
    changed: set[str] = field(default_factory=set)

    def __call__(self, after: str | None, changed: Iterable[str], scope: LookupScope = "open") -> Iterator[str]:
        self.changed = set(changed)
        open_ones = {value for value in self.values if value not in self.cached} if scope == "open" else set()
        asked = self.changed if scope == "feed" else open_ones | self.changed & set(self.values)
        yield from sorted(value for value in asked if after is None or value > after)


@dataclass
class Result:
    """What reading a stream gave, pages put together."""

    pages: list[Page]

    @property
    def answers(self) -> dict[str, str]:
        return {answer.key: answer.outcome for page in self.pages for answer in page.lookup_results}

    @property
    def records(self) -> list[Record]:
        return [record for page in self.pages for record in page.records]

    @property
    def payloads(self) -> list[dict]:
        return [json.loads(record.payload) for record in self.records]


def read_all(reader: PageReader, window: Window | None = None, token: str | None = None) -> Result:
    return Result(list(reader(window or now_window(), token)))


def client(
    system: System,
    endpoint: Endpoint,
    attempts: list[Attempt] | None = None,
    *,
    on_attempt: Callable[[Attempt], None] | None = None,
) -> Client:
    """A client that does not sleep between attempts, with a breaker and a limiter of its own."""
    return Client(
        system,
        endpoint,
        on_attempt or ([] if attempts is None else attempts).append,
        limiter=MemoryLimiter(),
        breakers=SyncCircuitBreakerFactory(default_threshold=10, default_ttl=60),
        sleep=lambda seconds: None,
    )


def endpoint(sandbox: Sandbox, system: str, password: str | None = None) -> Endpoint:
    return Endpoint(f"{sandbox.url}/{system}", password=password, extra={"rate": "100000/s"})


KEY = USER_KEY
SYSTEMS = read_systems()
