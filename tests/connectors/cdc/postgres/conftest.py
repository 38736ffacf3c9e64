"""A PostgreSQL whose log can be read, and a warehouse that it is loaded into from end to end."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from onefold.http.endpoint import Endpoint
from onefold.load.job import Job
from onefold.load.ledger import Load
from onefold.platform.postgres import Postgres, free_port
from onefold.platform.postgres_account import delete_data
from tests.connectors.cdc.loaded_log import SUITE, LoadedLog

PASSWORD = "reader of logs"


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
class Log(LoadedLog):
    """A source's database, and a warehouse that its table `orders` is loaded into."""

    server: Postgres
    name: str

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(f"postgres://127.0.0.1:{self.server.port}/{self.name}", "log_reader", PASSWORD)

    def run(self, *statements: str) -> None:
        with psycopg.connect(self.server.url(self.name), autocommit=True) as owner:
            for statement in statements:
                owner.execute(statement)

    def ask(self, statement: str) -> list[tuple]:
        with psycopg.connect(self.server.url(self.name)) as owner:
            return owner.execute(statement).fetchall()

    def do(self, job: Job) -> Load:
        """Load, once the server has noticed that a killed load reads no more."""
        self.run(
            "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots"
            " where database = current_database()"
        )
        return super().do(job)


@pytest.fixture
def log(log_server: Postgres, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    (tmp_path / "test_log__order.yaml").write_text(SUITE)
    name = f"s_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(log_server.url(), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    log = Log(warehouse_url, tmp_path, log_server, name)
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
