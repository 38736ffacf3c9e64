"""Loads of one stream from a queue into a warehouse, from end to end."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import LiteralString

import psycopg
from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.system import System
from onefold.connectors.registry import open_transport
from onefold.http.endpoint import Endpoint
from onefold.insight.streams import stream_statuses
from onefold.load import steps
from onefold.load.extraction import confirmation, from_system
from onefold.load.job import Job
from onefold.load.ledger import Load, Run
from onefold.load.stream_lag import StreamLag
from onefold.warehouse.connection import connect
from tests.roles import as_role

SUITE = """
name: test_queue__order
expectations:
  - {type: expect_column_values_to_be_null, kwargs: {column: _unparsed}}
  - {type: expect_column_values_to_be_null, kwargs: {column: _unmapped}}
"""
_runs = itertools.count(1)


def orders(protocol: str, request: Mapping[str, object], **more: object) -> System:
    """A system with one stream, order: a key, a number that rises with each message, and an amount."""
    limits = {"rate": ["100000/s"], "timeout": "PT5S", "attempts": 2, **dict(more.pop("limits", {}))}
    stream = {
        "title": "Orders",
        "request": request,
        "primary_key": ["id"],
        "fields": {"id": "text", "number": "integer", "note": {"type": "text", "required": False}},
        "gate": {"max_quarantined_share": 0.9},
    }
    head = {"system": "test_queue", "title": "Queue", "connection": "t", "schedule": "0 * * * *"}
    return System.model_validate({**head, "protocol": protocol, "limits": limits, "streams": {"order": stream | more}})


@dataclass
class QueueLoads:
    """A warehouse, and the queue's endpoint."""

    url: str
    suites: Path
    endpoint: Endpoint

    def job(self, system: System, *, anew: bool = False) -> Job:
        loader = as_role(self.url, "onefold_loader")
        unhurried = partial(
            open_transport, breakers=SyncCircuitBreakerFactory(default_threshold=10), sleep=lambda _: None
        )
        return Job(
            system=system,
            stream_name="order",
            run=Run("sync__test_queue", f"manual__{next(_runs)}", "os:tester"),
            source=from_system(system, self.endpoint, loader, {"test_queue": system}, {}, unhurried),
            confirm=confirmation(system, self.endpoint, loader, unhurried),
            source_url=self.endpoint.url,
            warehouse_url=loader,
            entities={},
            run_is_over=lambda dag_id, run_id: True,
            suites=self.suites,
            anew=anew,
        )

    def load(self, system: System, *, anew: bool = False) -> Load:
        return self.do(self.job(system, anew=anew))

    def do(self, job: Job) -> Load:
        return steps.run(job)

    def query(self, text: str) -> list[tuple]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(text).fetchall()

    def execute(self, text: LiteralString) -> None:
        with psycopg.connect(self.url, autocommit=True) as owner:
            owner.execute(text)

    def published(self) -> dict[str, int]:
        """The newest number by key."""
        rows = self.query(
            "select _key, (_payload ->> 'number')::int from staging.test_queue__order__current where not _deleted"
        )
        return dict(rows)

    def versions(self) -> list[tuple[str, int]]:
        """Key and number of every version, in the order of the versions."""
        return self.query(
            "select _key, (_payload ->> 'number')::int from staging.test_queue__order order by _cursor, _load_id"
        )

    def checkpoint(self) -> str:
        ((found,),) = self.query("select checkpoint from ops.stream_checkpoint where system = 'test_queue'")
        return found

    def lag(self, system: System) -> StreamLag:
        with connect(self.url) as connection:
            (status,) = stream_statuses(connection, {"test_queue": system})
        assert status.lag is not None
        return status.lag


def queue_loads(url: str, folder: Path, endpoint: Endpoint) -> QueueLoads:
    (folder / "test_queue__order.yaml").write_text(SUITE)
    return QueueLoads(url, folder, endpoint)
