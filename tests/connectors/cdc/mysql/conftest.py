"""A MariaDB whose log can be read, and a warehouse that it is loaded into from end to end."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest

from onefold.connectors.cdc.mysql.position import Checkpoint, Position
from onefold.http.endpoint import Endpoint
from tests.connectors.cdc.loaded_log import SUITE, LoadedLog
from tests.connectors.databases import READER
from tests.connectors.mariadb import PASSWORD, running

OPTIONS = (
    "--log-bin=binlog",
    "--server-id=7",
    "--binlog-format=ROW",
    "--binlog-row-metadata=FULL",
    "--sync-binlog=0",
    "--log-bin-trust-function-creators=1",
)
ORDERS = "create table orders (id int primary key, name varchar(200) not null, note longtext, amount decimal(12, 2))"
RIGHTS = f"grant replication slave, binlog monitor on *.* to {READER}@'%'"


@pytest.fixture(scope="session")
def binlog_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a source that writes a log. It is apart from the other tests' server, which writes none."""
    with running(tmp_path_factory.mktemp("binlog"), tmp_path_factory.mktemp("programs"), OPTIONS) as port:
        with _owner(port) as owner, owner.cursor() as cursor:
            cursor.execute(RIGHTS)
        yield port


@dataclass
class Log(LoadedLog):
    """A source's database, and a warehouse that its table `orders` is loaded into."""

    port: int
    name: str

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(f"mysql://127.0.0.1:{self.port}/{self.name}", READER, PASSWORD)

    def run(self, *statements: str) -> None:
        with _owner(self.port, self.name) as owner, owner.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def ask(self, statement: str) -> list[tuple]:
        with _owner(self.port, self.name) as owner, owner.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def position(self) -> Position:
        """What is published up to."""
        ((checkpoint,),) = self.query("select checkpoint from ops.stream_checkpoint where stream = 'order'")
        return Checkpoint.of(checkpoint, "order").position

    def log_end(self) -> tuple[str, int]:
        """The newest file of the source's log, and where it ends."""
        ((file, offset, *_),) = self.ask("show master status")
        return file, offset

    def at_source(self) -> dict[str, dict[str, object]]:
        """The rows of the table as the published records are."""
        return {
            str(number): {"id": number, "name": name, "note": note, "amount": None if amount is None else float(amount)}
            for number, name, note, amount in self.ask("select id, name, note, amount from orders")
        }


def _owner(port: int, database: str | None = None) -> pymysql.Connection:
    return pymysql.connect(
        host="127.0.0.1", port=port, user="owner", password=PASSWORD, database=database, autocommit=True,
        charset="utf8mb4",
    )  # fmt: skip


@pytest.fixture
def log(binlog_server: int, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    (tmp_path / "test_log__order.yaml").write_text(SUITE)
    name = f"s_{uuid.uuid4().hex[:12]}"
    with _owner(binlog_server) as owner, owner.cursor() as cursor:
        cursor.execute(f"create database {name} character set utf8mb4")
    log = Log(warehouse_url, tmp_path, binlog_server, name)
    log.run(
        ORDERS,
        f"grant select on orders to {READER}@'%'",
    )
    yield log
    log.run(f"drop database {name}")
