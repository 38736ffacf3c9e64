"""A source whose log is read, and a warehouse that its table `orders` is loaded into from end to end."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.system import System
from onefold.http.endpoint import Endpoint
from onefold.load import steps
from onefold.load.extraction import confirmation, from_system, open_transport
from onefold.load.job import Job
from onefold.load.ledger import Load, Run
from tests.roles import as_role

SUITE = """
name: test_log__order
expectations:
  - {type: expect_column_values_to_be_null, kwargs: {column: _unparsed}}
  - {type: expect_column_values_to_be_null, kwargs: {column: _unmapped}}
"""
_runs = itertools.count(1)


@dataclass
class LoadedLog(ABC):
    """A warehouse, and the database that is loaded into it."""

    warehouse_url: str
    suites: Path

    @property
    @abstractmethod
    def endpoint(self) -> Endpoint:
        """How Onefold is let in at the source."""

    @abstractmethod
    def run(self, *statements: str) -> None:
        """Each statement at the source, by itself."""

    @abstractmethod
    def ask(self, statement: str) -> list[tuple]:
        """At the source."""

    def job(self, system: System, *, anew: bool = False) -> Job:
        endpoint, loader = self.endpoint, as_role(self.warehouse_url, "onefold_loader")
        unhurried = partial(
            open_transport, breakers=SyncCircuitBreakerFactory(default_threshold=10), sleep=lambda _: None
        )
        return Job(
            system=system,
            stream_name="order",
            run=Run("sync__test_log", f"manual__{next(_runs)}", "os:tester"),
            source=from_system(system, endpoint, loader, {"test_log": system}, {}, unhurried),
            confirm=confirmation(system, endpoint, loader, unhurried),
            source_url=endpoint.url,
            warehouse_url=loader,
            entities={},
            run_is_over=lambda dag_id, run_id: True,
            suites=self.suites,
            anew=anew,
        )

    def load(self, system: System, *, anew: bool = False) -> Load:
        return self.do(self.job(system, anew=anew))

    def do(self, job: Job) -> Load:
        steps.land(job)
        return steps.publish(job)

    def query(self, text: str, *values: object) -> list[tuple]:
        """In the warehouse."""
        with psycopg.connect(self.warehouse_url) as connection:
            return connection.execute(text, values or None).fetchall()

    def run_in_warehouse(self, *statements: str) -> None:
        with psycopg.connect(self.warehouse_url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def published(self) -> dict[str, dict[str, object]]:
        """The stream's current records by key."""
        rows = self.query("select _key, _payload from staging.test_log__order__current where not _deleted")
        return dict(rows)

    def published_content(self) -> dict[str, dict[str, object]]:
        """The same, without what the load itself has noted in the records."""
        return {
            key: {name: v for name, v in record.items() if name[0] != "_"} for key, record in self.published().items()
        }

    def readings(self) -> dict[str, dict[str, object]]:
        """The newest reading of each key, published or in quarantine."""
        rows = self.query(
            "select distinct on (_key) _key, payload from (select _key, _payload as payload, _load_id as load_id"
            " from staging.test_log__order union all select _key, payload, load_id from ops.quarantine"
            " where stream = 'order') every order by _key, load_id desc"
        )
        return {key: {name: v for name, v in record.items() if name[0] != "_"} for key, record in rows}


def orders(**more: object) -> System:
    """A system with one stream, order: a table with a key, a name, a large text and an amount."""
    fields = {"id": "integer", "name": "text", "note": {"type": "text", "required": False}, "amount": "numeric"}
    stream = {
        "title": "Orders",
        "request": {"table": "orders"},
        "primary_key": ["id"],
        "fields": {name: kind for name, kind in (fields | dict(more.pop("fields", {}))).items() if kind},
        "next": {"size": more.pop("rows", 1000)},
    }
    protocol = more.pop("protocol", "cdc")
    head = {"system": "test_log", "title": "Log", "protocol": protocol, "connection": "test", "schedule": "0 * * * *"}
    limits = {"rate": ["100000/s"], "timeout": "PT5S", "attempts": 2}
    return System.model_validate({**head, "limits": limits, "streams": {"order": stream | more}})
