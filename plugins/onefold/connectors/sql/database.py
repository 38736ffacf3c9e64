"""The one way out to a system that is a database: one connection, read-only but for the transactions of `write`; every
query keeps the rates, is tried again, and is counted. What onefold.http.client.Client is for HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Self, TypeVar, Unpack

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from onefold.catalog.system import System
from onefold.connectors.sql.database_errors import classed, code_of, refused_write
from onefold.connectors.sql.dialects.dialect import Dialect
from onefold.connectors.sql.time_limit import Cut, cut_after
from onefold.connectors.sql.values import read_json
from onefold.errors import Fatal
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.failure import Again, WriteRefused
from onefold.http.persistent import AttemptSettings, Persistent

T = TypeVar("T")


class SnapshotLost(Exception):
    """The connection that saw the snapshot is gone: what was read of it is to be read anew."""


DIALECTS: Mapping[str, tuple[str, str]] = {
    "postgres": ("postgresql", "PostgreSql"),
    "mysql": ("mysql", "MySql"),
    "mssql": ("mssql", "SqlServer"),
    "oracle": ("oracle", "Oracle"),
}
"""By Airflow's type of connection, the scheme of the endpoint: the module in dialects/, which is SQLAlchemy's name too,
and its class. It is imported when such a database is opened: each brings a driver and a part of SQLAlchemy along."""


class Database:
    """Asks one database. A context manager that keeps one connection open between questions, but no transaction.

    What attempts have in common with those of other protocols, and the further arguments, are Persistent's.
    """

    def __init__(
        self,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> None:
        self.system = system
        self.dialect, self._engine, self._arguments = _engine(system, endpoint)
        self._connection: sa.Connection | None = None
        self._snapshot: _Snapshot | None = None
        self._way = Persistent(system, endpoint, self._engine.url.host or "", on_attempt, **settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back; the next question opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()  # closed without a word to a server that may be gone
            connection.close()

    def ask(
        self, verb: str, table: str, question: Callable[[sa.Connection], tuple[T, int]], longest: float | None = None
    ) -> T:
        """What `question` finds out in one transaction of its own; it returns that and its size in bytes.

        A lost connection, a timeout or a server that is busy: asked again, over a new connection. A question takes no
        longer than `longest` seconds, by default what all attempts at it may, whatever the server does. Raises
        Retriable when that goes on for too long, Fatal when the database refuses. `verb` and `table` are for messages
        and usage.
        """
        named = self._way.named(verb, table)

        def once() -> T:
            with self._way.attempt(verb, table) as outcome:
                outcome.status = "ok"
                answer, outcome.bytes = self._asked(named, question, longest or self._way.longest)
                return answer

        return self._way.persist(named, once)

    def _asked(self, named: str, question: Callable[[sa.Connection], tuple[T, int]], longest: float) -> tuple[T, int]:
        cut = Cut()
        try:
            connection = self._open()
            with cut_after(longest, self.dialect.ending(connection)) as cut, self._transaction(connection):
                return question(connection)
        except sa.exc.DBAPIError as error:
            self.close()
            if cut.done:
                raise Again(f"no whole answer within {longest:g} s, and the connection was cut") from error
            raise self.classed(error, named) from error
        except BaseException:
            self.close()
            raise

    def write(self, verb: str, table: str, action: Callable[[sa.Connection], T]) -> T:
        """What `action` gives, whose changes are committed in one transaction of their own, once.

        Raises NotSent when that was surely not committed and may be tried again, Unanswered when nobody knows,
        WriteRefused when the database refuses; whatever `action` raises, it has rolled back.
        """
        named = self._way.named(verb, table)

        def once() -> T:
            with self._way.attempt(verb, table) as outcome:
                outcome.status = "ok"
                return self._written(named, action)

        return self._way.once(named, once)

    def _written(self, named: str, action: Callable[[sa.Connection], T]) -> T:
        if self.dialect.begin_write is None:
            raise Fatal(f"{named}: databases of this kind are read only. Write to it over an interface it has.")
        cut, opened, committing = Cut(), False, False
        try:
            connection = self._open()
            opened = True
            with cut_after(self._way.timeout, self.dialect.ending(connection)) as cut, connection.begin():
                for statement in self.dialect.begin_write:
                    connection.exec_driver_sql(statement)
                done = action(connection)
                committing = True
            return done
        except sa.exc.DBAPIError as error:
            self.close()
            begun = committing and code_of(error) not in self.dialect.not_committed
            failure: Exception = Again(f"no answer within {self._way.timeout:g} s, and the connection was cut")
            if not cut.done:
                failure = self.classed(error, named)
            if begun and not isinstance(failure, Again):
                failure = Again("the commit failed")
            if isinstance(failure, Again):
                failure.begun = begun
            if isinstance(failure, Again) or not opened:
                raise failure from error
            raise refused_write(error, named, self.system, self.dialect.codes) from error
        except WriteRefused:  # by the action, which sees what it has written: the connection is sound
            raise
        except BaseException:
            self.close()
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All questions in the block see the database as it was at the first one; none of them is asked again over a
        new connection. Raises SnapshotLost in place of that."""
        self._snapshot = _Snapshot()
        try:
            yield
        finally:
            self._snapshot = None
            self.close()

    @contextmanager
    def _transaction(self, connection: sa.Connection) -> Iterator[None]:
        if self._snapshot is None:
            with connection.begin():
                if self.dialect.begin:
                    connection.exec_driver_sql(self.dialect.begin)
                yield
            return
        if self._snapshot.connection is None:
            self._snapshot.connection = connection
            connection.begin()
            for statement in self.dialect.begin_snapshot:
                connection.exec_driver_sql(statement)
        if self._snapshot.connection is not connection:
            raise SnapshotLost
        yield

    def driver_arguments(self) -> dict[str, Any]:
        """What the driver's own connect takes, for a connection that SQLAlchemy cannot make."""
        _, address = self._engine.dialect.create_connect_args(self._engine.url)
        return {**address, **self._arguments}

    def classed(self, error: sa.exc.DBAPIError, named: str) -> Exception:
        """What to raise for a database's error: Again, Retriable or Fatal."""
        return classed(error, named, self.system, self._way.timeout, self.dialect.codes)

    def _open(self) -> sa.Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
            with self._connection.begin():
                self.dialect.start_session(self._connection, self._way.timeout)
        return self._connection


@dataclass(slots=True)
class _Snapshot:
    """The connection whose transaction sees it; None before the first question."""

    connection: sa.Connection | None = None


def dialect_of(connection_type: str) -> Dialect:
    """What is particular to the databases that connections of this type lead to."""
    module, name = DIALECTS[connection_type]
    dialect: type[Dialect] = getattr(import_module(f"onefold.connectors.sql.dialects.{module}"), name)
    return dialect()


def _engine(system: System, endpoint: Endpoint) -> tuple[Dialect, sa.Engine, dict[str, object]]:
    url = sa.make_url(endpoint.url)
    if url.drivername not in DIALECTS or not url.host or not url.database:
        raise Fatal(
            f"{system.system}: the Airflow connection {system.connection!r} leads to no database. Make it one of type "
            f"{', '.join(DIALECTS)} (mysql is MariaDB's too) with host, port, login and password, and the database's "
            "name (Oracle: its service name) as schema."
        )
    dialect = dialect_of(url.drivername)
    arguments = dialect.arguments(system.limits.timeout.total_seconds())
    arguments |= {name: value for name, value in (endpoint.extra or {}).items() if name in dialect.tls}
    address = dialect.address(url.set(drivername=dialect.driver, username=endpoint.login, password=endpoint.password))
    engine = sa.create_engine(
        address, poolclass=NullPool, hide_parameters=True, json_deserializer=read_json, connect_args=arguments
    )
    return dialect, engine, arguments
