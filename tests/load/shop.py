"""A small source of a test's own: it gives exactly the pages that the test says, through the real load protocol."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.catalog.system import System
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.connectors.window import Window
from onefold.load import ledger, steps
from onefold.load.job import Job
from onefold.load.ledger import Load, Run
from onefold.load.window import WindowRequest
from onefold.warehouse.connection import connect

SHOP = System.model_validate(
    {
        "system": "shop",
        "title": "A shop",
        "protocol": "rest",
        "connection": "shop",
        "schedule": "0 * * * *",
        "streams": {
            "customer": {
                "title": "Customers",
                "primary_key": ["id"],
                "cursor": {"fields": ["changed"]},
                "fields": {
                    "id": "text",
                    "name": {"personal": "contact"},
                    "nick": {"required": False},
                    "credit": "numeric",
                    "changed": "timestamp",
                },
            }
        },
    }
)
SUITE = """
name: shop__customer
expectations:
  - {type: expect_column_values_to_be_null, kwargs: {column: _unparsed}}
  - {type: expect_column_values_to_be_null, kwargs: {column: _unmapped}}
  - {type: expect_column_values_to_not_be_null, kwargs: {column: name}}
  - {type: expect_column_values_to_be_between, kwargs: {column: credit, min_value: 0}}
"""
MORNING = datetime(2026, 3, 1, 8, tzinfo=UTC)
_runs = itertools.count(1)


def at(minutes: float) -> str:
    """A cursor value: so many minutes after the morning."""
    return (MORNING + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def record(key: str | None, minutes: float, *, deleted: bool = False, **fields: object) -> Record:
    """A record as the connectors give it."""
    content = {"id": key, "name": f"Name {key}", "credit": 10, "changed": at(minutes), **fields}
    return Record(key, at(minutes), deleted, msgspec.json.encode(content))


def pages(*groups: list[Record], observed: datetime | None = None) -> list[Page]:
    """One page a group; observed when given, else now."""
    seen = observed or datetime.now(UTC)
    last = len(groups) - 1
    return [Page(group, seen, None if number == last else str(number + 1)) for number, group in enumerate(groups)]


@dataclass
class Shop:
    """Loads given pages into a warehouse, run after run."""

    url: str
    suites: Path
    system: System = SHOP
    stream: str = "customer"
    entities: Mapping[str, Entity] = field(default_factory=dict)
    asked: list[tuple[Window, str | None]] = field(default_factory=list)

    def job(self, given: Sequence[Page | BaseException], run: str | None = None, **more: object) -> Job:
        """A job whose source gives these pages, from the asked token on; an error among them is raised there."""

        @contextmanager
        def source(stream_name: str, usage: object) -> Iterator[object]:
            def read(window: Window, token: str | None) -> Iterator[Page]:
                self.asked.append((window, token))
                for page in given[int(token or 0) :]:
                    if isinstance(page, BaseException):
                        raise page
                    yield page

            yield read

        return Job(
            system=self.system,
            stream_name=self.stream,
            run=Run("sync__shop", run or f"manual__{next(_runs)}", "os:tester"),
            source=source,
            source_url="https://shop.example",
            warehouse_url=self.url,
            entities=self.entities,
            suites=self.suites,
            **{"run_is_over": lambda dag_id, run_id: True, **more},
        )

    def load(self, *groups: list[Record], window: tuple[float, float] | None = None, **more: object) -> Load:
        """Land, gate and publish these groups of records, one page each."""
        if window:
            start, end = (MORNING + timedelta(minutes=minutes) for minutes in window)
            more["requested"] = WindowRequest(start, end, exactly=True)
        return self.run(self.job(pages(*groups), **more))

    def run(self, job: Job) -> Load:
        """All three steps."""
        steps.land(job)
        steps.gate(job)
        return steps.publish(job)

    def current(self) -> dict[str, dict]:
        """What staging shows now: key → payload, without what is deleted."""
        return {
            key: payload
            for key, payload, deleted in self.query(
                "select _key, _payload, _deleted from staging.shop__customer__current"
            )
            if not deleted
        }

    def versions(self) -> list[tuple]:
        """Every version, without the load that brought it and when it was read."""
        return self.query(
            "select _key, _payload, _cursor, _deleted from staging.shop__customer order by _key, _load_id"
        )

    def query(self, text: str | sql.Composed) -> list[tuple]:
        with connect(self.url) as connection:
            return connection.execute(text).fetchall()

    def last(self) -> Load:
        with connect(self.url) as connection:
            return ledger.latest(connection, "shop", "customer")

    def execute(self, text: str) -> None:
        with connect(self.url, autocommit=True) as connection:
            connection.execute(text)
