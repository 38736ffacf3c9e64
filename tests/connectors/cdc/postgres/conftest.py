"""A PostgreSQL whose log can be read, and a warehouse that it is loaded into from end to end."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.system import System
from onefold.http.endpoint import Endpoint
from onefold.load import steps
from onefold.load.extraction import confirmation, from_system, open_transport
from onefold.load.job import Job
from onefold.load.ledger import Load, Run
from onefold.platform.postgres import Postgres, free_port
from onefold.platform.postgres_account import delete_data
from tests.roles import as_role

PASSWORD = "reader of logs"
SUITE = """
name: test_log__order
expectations:
  - {type: expect_column_values_to_be_null, kwargs: {column: _unparsed}}
  - {type: expect_column_values_to_be_null, kwargs: {column: _unmapped}}
"""
_runs = itertools.count(1)


@pytest.fixture(scope="session")
def log_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A source whose log can be decoded. It is apart from the warehouse's server, whose log is of no interest."""
    settings = {
        "fsync": "off",
        "full_page_writes": "off",
        "shared_buffers": "32MB",
        "autovacuum": "off",
        "track_commit_timestamp": "on",
    }
    server = Postgres(tmp_path_factory.mktemp("log_server"), free_port(), {**settings, "wal_level": "logical"})
    server.start()
    with psycopg.connect(server.url(), autocommit=True) as owner:
        owner.execute(sql.SQL("create role log_reader login replication password {}").format(PASSWORD))
    yield server
    server.stop()
    delete_data(server.home)


@dataclass
class Log:
    """A source's database, and a warehouse that its table `orders` is loaded into."""

    server: Postgres
    name: str
    warehouse_url: str
    suites: Path

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(f"postgres://127.0.0.1:{self.server.port}/{self.name}", "log_reader", PASSWORD)

    def run(self, *statements: str) -> None:
        """Each statement at the source, by itself."""
        with psycopg.connect(self.server.url(self.name), autocommit=True) as owner:
            for statement in statements:
                owner.execute(statement)

    def ask(self, statement: str) -> list[tuple]:
        """At the source."""
        with psycopg.connect(self.server.url(self.name)) as owner:
            return owner.execute(statement).fetchall()

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
        """Load, once the server has noticed that a killed load reads no more."""
        self.run(
            "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots"
            " where database = current_database()"
        )
        steps.land(job)
        return steps.publish(job)

    def query(self, text: str, *values: object) -> list[tuple]:
        """In the warehouse."""
        with psycopg.connect(self.warehouse_url) as connection:
            return connection.execute(text, values or None).fetchall()

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
        "fields": fields | dict(more.pop("fields", {})),
        "next": {"size": more.pop("rows", 1000)},
    }
    head = {"system": "test_log", "title": "Log", "protocol": "cdc", "connection": "test", "schedule": "0 * * * *"}
    limits = {"rate": ["100000/s"], "timeout": "PT5S", "attempts": 2}
    return System.model_validate({**head, "limits": limits, "streams": {"order": stream | more}})


@pytest.fixture
def log(log_server: Postgres, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    (tmp_path / "test_log__order.yaml").write_text(SUITE)
    name = f"s_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(log_server.url(), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    log = Log(log_server, name, warehouse_url, tmp_path)
    log.run(
        "create table orders (id int primary key, name text not null, note text, amount numeric(12, 2))",
        "alter table orders owner to log_reader",
        f"grant create on database {name} to log_reader",
    )
    yield log
    with psycopg.connect(log_server.url(), autocommit=True) as admin:
        admin.execute(
            "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where database = %s", (name,)
        )
        admin.execute(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = %s", (name,)
        )
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
