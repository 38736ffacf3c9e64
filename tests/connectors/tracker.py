"""A source of projects and their tickets, whose content the test changes, and a load of one of its streams."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.system import System
from onefold.connectors.page import PageReader
from onefold.http.attempt import Attempt
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from onefold.load import steps
from onefold.load.extraction import from_system, open_transport
from onefold.load.job import Job
from onefold.load.ledger import Load, Run
from tests.connectors.reading import reader
from tests.http.web_server import Asked, Say, WebServer

PAGE = 2
PROJECT: dict[str, object] = {
    "title": "Projects",
    "request": {"path": "/projects"},
    "records": "data",
    "next": {"kind": "url", "path": "next"},
    "primary_key": ["id"],
    "cursor": {"fields": ["changed"]},
    "deletes": {"flag": {"field": "gone"}},
    "fields": {"id": "text", "changed": "timestamp", "gone": {"type": "boolean", "required": False}},
}
TICKET: dict[str, object] = {
    "title": "Tickets",
    "parent": {"stream": "project", "fill": {"project_id": "id"}},
    "request": {"path": "/projects/{project_id}/tickets"},
    "records": "data",
    "next": {"kind": "url", "path": "next"},
    "primary_key": ["project_id", "id"],
    "fields": {"project_id": "text", "id": "text", "text": {"required": False}},
}
SUITE = """
name: tracker__ticket
expectations:
  - {type: expect_column_values_to_be_null, kwargs: {column: _unparsed}}
"""
_runs = itertools.count(1)


def tracker(streams: dict[str, object] | None = None, **ticket: object) -> System:
    return System.model_validate(
        {
            "system": "tracker",
            "title": "A tracker",
            "protocol": "rest",
            "connection": "tracker",
            "schedule": "0 * * * *",
            "limits": {"rate": ["100000/s"], "attempts": 2},
            "streams": {"project": PROJECT, "ticket": TICKET | ticket} | (streams or {}),
        }
    )


@dataclass
class Tracker:
    """What the source has: each project's day of change, and its tickets. `answers` go before."""

    web: WebServer
    projects: dict[str, int] = field(default_factory=dict)
    tickets: dict[str, list[object]] = field(default_factory=dict)
    flagged: set[str] = field(default_factory=set)
    answers: dict[str, Say] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.web.answer = self._answer

    def _answer(self, asked: Asked) -> Say:
        path = unquote(asked.path)
        if path in self.answers:
            return self.answers[path]
        if path == "/projects":
            found: list[object] = [
                {"id": name, "changed": f"2026-01-{day:02}T00:00:00Z", "gone": name in self.flagged}
                for name, day in self.projects.items()
                if f"2026-01-{day:02}" >= asked.params.get("since", "")
            ]
        else:
            name = path.split("/")[2]
            if name not in self.tickets:
                return Say(404)
            found = [{"id": str(each)} if isinstance(each, int | str) else each for each in self.tickets[name]]
        first = int(asked.params.get("from", 0))
        following = f"{asked.path}?from={first + PAGE}" if first + PAGE < len(found) else None
        return Say(body=json.dumps({"data": found[first : first + PAGE], "next": following}).encode())

    def asked(self) -> list[str]:
        """Paths of the tickets asked for since the last time, each with the page's first."""
        seen = [f"{unquote(each.path)} {each.params.get('from', 0)}" for each in self.web.asked]
        self.web.asked.clear()
        return [each.replace("/projects/", "").replace("/tickets", "") for each in seen if "/tickets" in each]

    def reader(self, system: System, stream: str = "ticket") -> PageReader:
        endpoint = Endpoint(self.web.url)
        client = Client(
            system, endpoint, self.attempts.append, limiter=MemoryLimiter(), stream=stream, sleep=lambda _: None
        )
        return reader(system, stream, endpoint, client)

    def load(self, system: System, url: str, suites: Path, run: str | None = None) -> Load:
        """Through the real gate."""
        endpoint = Endpoint(self.web.url)
        unhurried = partial(
            open_transport, breakers=SyncCircuitBreakerFactory(default_threshold=10), sleep=lambda _: None
        )
        return steps.run(
            Job(
                system=system,
                stream_name="ticket",
                run=Run("sync__tracker", run or f"manual__{next(_runs)}", "os:tester"),
                source=from_system(system, endpoint, url, {"tracker": system}, {}, unhurried),
                source_url=self.web.url,
                warehouse_url=url,
                entities={},
                run_is_over=lambda dag_id, run_id: True,
                suites=suites,
                is_retry=run is not None,
            )
        )


def pages_until(read: Iterator[object], count: int) -> list[object]:
    return list(itertools.islice(read, count))
