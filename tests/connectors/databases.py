"""Sources on a real PostgreSQL and a real MariaDB: a database of the test's own, its owner, and a role that reads."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from purgatory import SyncCircuitBreakerFactory
from sqlalchemy.pool import NullPool

from onefold.catalog.system import System
from onefold.connectors.page import Page
from onefold.connectors.sql.database import Database
from onefold.connectors.sql.reader import sql_reader
from onefold.connectors.window import BEGINNING, ResumeCursor, Window
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from onefold.platform.postgres import Postgres
from tests.connectors import mariadb

EVERYTHING = Window(BEGINNING, datetime.now(UTC) + timedelta(days=3650))
READER = "reader"


@dataclass
class Source:
    """A database: `owner` may do all, `endpoint` is how Onefold is let in."""

    owner: sa.Engine
    endpoint: Endpoint
    attempts: list[Attempt] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.owner.dialect.name

    def run(self, *statements: str | sa.Executable) -> None:
        """As the owner, each statement committed."""
        with self.owner.connect() as connection:
            for statement in statements:
                connection.execute(sa.text(statement) if isinstance(statement, str) else statement)

    def fill(self, table: sa.Table, rows: list[dict[str, object]]) -> None:
        """The table, with these rows, for the reader to read."""
        with self.owner.connect() as connection:
            table.create(connection)
            connection.execute(table.insert(), rows)
        self.run(f"grant select on {table.name} to {READER}")

    def cut(self) -> None:
        """End every connection of the reader, as an administrator or a failing network would."""
        with self.owner.connect() as connection:
            if self.name == "postgresql":
                connection.execute(
                    sa.text("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = :reader"),
                    {"reader": READER},
                )
                return
            found = sa.text("select id from information_schema.processlist where user = :reader")
            for (number,) in connection.execute(found, {"reader": READER}).fetchall():
                connection.execute(sa.text(f"kill {int(number)}"))

    @contextmanager
    def locked(self, table: str) -> Iterator[Callable[[float], None]]:
        """Somebody else holds the table for himself; what this gives lets it go (it may stand for a pause)."""
        postgresql = self.name == "postgresql"
        with self.owner.connect().execution_options(isolation_level="READ COMMITTED") as other:
            how = f"lock table {table} in access exclusive mode" if postgresql else f"lock tables {table} write"
            other.execute(sa.text(how))
            yield lambda seconds: other.execute(sa.text("commit" if postgresql else "unlock tables")).close()

    @contextmanager
    def open(self, system: System, sleep: Callable[[float], None] | None = None) -> Iterator[Database]:
        """The way out to it; the pauses between attempts are only noted."""
        with Database(
            system,
            self.endpoint,
            self.attempts.append,
            limiter=MemoryLimiter(),
            stream=next(iter(system.streams)),
            breakers=SyncCircuitBreakerFactory(default_threshold=100),
            sleep=sleep or self.slept.append,
        ) as database:
            yield database

    def pages(
        self, system: System, window: Window = EVERYTHING, token: str | None = None, *,
        reached: ResumeCursor = lambda window: None, sleep: Callable[[float], None] | None = None,
    ) -> list[Page]:  # fmt: skip
        """What the connector reads of the system's one stream."""
        with self.open(system, sleep) as database:
            return list(sql_reader(system, next(iter(system.streams)), database, reached)(window, token))


def system(table: str, *, cursor: str | None = "zmieniono", rows: int = 7, **more: object) -> System:
    """An ERP with one stream, klient: the id, a name and what else `fields` in `more` says."""
    fields = {"id": "integer", "nazwa": "text", **dict(more.pop("fields", {}))}
    stream = {
        "title": "Klienci",
        "request": more.pop("request", {"table": table}),
        "primary_key": ["id"],
        "next": {"size": rows},
    }
    if cursor:
        kind = more.pop("kind", "timestamp")
        fields |= {cursor: kind}
        stream["cursor"] = {"fields": [cursor], "kind": kind, **dict(more.pop("of_cursor", {}))}
    head = {"system": "test_erp", "title": "ERP", "protocol": "sql", "connection": "test_erp", "schedule": "0 * * * *"}
    limits = {"rate": ["100000/s"], "timeout": "PT1S", "attempts": 3}
    return System.model_validate(
        {**head, "limits": limits, "streams": {"klient": {**stream, "fields": fields}}, **more}
    )


def keys(pages: list[Page]) -> list[str | None]:
    return [record.key for page in pages for record in page.records]


@contextmanager
def on_postgresql(server: Postgres) -> Iterator[Source]:
    """A database of the test's own in the session's PostgreSQL."""
    name = f"s_{uuid.uuid4().hex[:12]}"
    admin = _engine(server.url("postgres"))
    with admin.connect() as connection:
        connection.execute(sa.text(f"create database {name}"))
        if not connection.execute(sa.text("select 1 from pg_roles where rolname = :r"), {"r": READER}).first():
            connection.execute(sa.text(f"create role {READER} login password '{mariadb.PASSWORD}'"))
    endpoint = Endpoint(f"postgres://127.0.0.1:{server.port}/{name}", READER, mariadb.PASSWORD)
    yield Source(_engine(server.url(name)), endpoint)
    with admin.connect() as connection:
        connection.execute(sa.text(f"drop database {name} with (force)"))


@contextmanager
def on_mariadb(port: int) -> Iterator[Source]:
    """A database of the test's own in the session's MariaDB."""
    name = f"s_{uuid.uuid4().hex[:12]}"
    address = f"127.0.0.1:{port}"
    admin = _engine(f"mysql+pymysql://owner:{mariadb.PASSWORD}@{address}/")
    with admin.connect() as connection:
        connection.execute(sa.text(f"create database {name} character set utf8mb4"))
    owner = _engine(f"mysql+pymysql://owner:{mariadb.PASSWORD}@{address}/{name}")
    yield Source(owner, Endpoint(f"mysql://{address}/{name}", READER, mariadb.PASSWORD))
    with admin.connect() as connection:
        connection.execute(sa.text(f"drop database {name}"))


def _engine(url: str) -> sa.Engine:
    given = sa.make_url(url)
    driver = "postgresql+psycopg" if given.drivername == "postgresql" else given.drivername
    return sa.create_engine(given.set(drivername=driver), poolclass=NullPool, isolation_level="AUTOCOMMIT")
