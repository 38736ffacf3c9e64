"""A database as a source, and a warehouse that it is loaded into from end to end."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.system import System
from onefold.load import steps
from onefold.load.extraction import from_system, keys_from_system, open_transport
from onefold.load.job import Job
from onefold.load.ledger import Load, Run
from onefold.platform.postgres import Postgres
from tests.connectors.databases import Source, on_postgresql
from tests.roles import as_role

SUITE = """
name: test_erp__klient
expectations:
  - {type: expect_column_values_to_be_null, kwargs: {column: _unparsed}}
  - {type: expect_column_values_to_be_null, kwargs: {column: _unmapped}}
"""
_runs = itertools.count(1)


@dataclass
class Erp:
    """A source, and a warehouse that it is loaded into."""

    source: Source
    url: str
    suites: Path

    def load(self, erp: System, *, sweep: bool = False) -> Load:
        endpoint, loader = self.source.endpoint, as_role(self.url, "onefold_loader")
        unhurried = partial(
            open_transport, breakers=SyncCircuitBreakerFactory(default_threshold=10), sleep=lambda _: None
        )
        job = Job(
            system=erp,
            stream_name="klient",
            run=Run("sync__test_erp", f"manual__{next(_runs)}", "os:tester"),
            source=keys_from_system(erp, endpoint, loader, unhurried)
            if sweep
            else from_system(erp, endpoint, loader, {"test_erp": erp}, {}, unhurried),
            sweep=sweep,
            source_url=endpoint.url,
            warehouse_url=loader,
            entities={},
            run_is_over=lambda dag_id, run_id: True,
            suites=self.suites,
        )
        steps.land(job)
        steps.gate(job)
        return steps.publish(job)

    def query(self, text: str | sql.Composed, *values: object) -> list[tuple]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(text, values or None).fetchall()


@pytest.fixture
def erp(postgres: Postgres, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Erp]:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    (tmp_path / "test_erp__klient.yaml").write_text(SUITE)
    with on_postgresql(postgres) as source:
        yield Erp(source, warehouse_url, tmp_path)
