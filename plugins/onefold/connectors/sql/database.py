"""The one way out to a source that is a database: one read-only connection; every query keeps the rates, is tried
again, and is counted. What onefold.http.client.Client is for HTTP.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Self, TypeVar, Unpack

import psycopg
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from onefold.catalog.system import System
from onefold.connectors.sql.database_errors import classed
from onefold.connectors.sql.time_limit import Cut, cut_after
from onefold.connectors.sql.values import read_json
from onefold.errors import Fatal
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.failure import Again
from onefold.http.persistent import AttemptSettings, Persistent
from onefold.warehouse.exact_values import load_intervals_as_text

T = TypeVar("T")

DRIVERS = {"postgres": "postgresql+psycopg", "mysql": "mysql+pymysql"}
"""SQLAlchemy's driver by the scheme of the endpoint; the latter finds out by itself whether it meets MariaDB."""
TLS = {
    "postgres": ("sslmode", "sslrootcert", "sslcert", "sslkey"),
    "mysql": ("ssl_ca", "ssl_cert", "ssl_key", "ssl_verify_cert", "ssl_verify_identity"),
}
"""What the connection's extra may say to the driver."""
CONNECT_SECONDS = 10
KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


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
        self._engine = _engine(system, endpoint)
        self._connection: sa.Connection | None = None
        self._way = Persistent(system, endpoint, self._engine.url.host or "", on_attempt, **settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def dialect(self) -> str:
        """postgresql, mysql or mariadb; the last two are told apart once there was a connection."""
        return "mariadb" if getattr(self._engine.dialect, "is_mariadb", False) else self._engine.dialect.name

    def close(self) -> None:
        """Give the connection back; the next question opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()  # closed without a word to a server that may be gone
            connection.close()

    def ask(self, verb: str, table: str, question: Callable[[sa.Connection], tuple[T, int]]) -> T:
        """What `question` finds out in one transaction of its own; it returns that and its size in bytes.

        A lost connection, a timeout or a server that is busy: asked again, over a new connection. A question takes no
        longer than all attempts at it may, whatever the server does. Raises Retriable
        when that goes on for too long, Fatal when the database refuses. `verb` and `table` are for messages and usage.
        """
        named = self._way.named(verb, table)

        def once() -> T:
            with self._way.attempt(verb, table) as outcome:
                outcome.status = "ok"
                answer, outcome.bytes = self._asked(named, question)
                return answer

        return self._way.persist(named, once)

    def _asked(self, named: str, question: Callable[[sa.Connection], tuple[T, int]]) -> tuple[T, int]:
        longest, cut = self._way.longest, Cut()
        try:
            connection = self._open()
            with cut_after(longest, connection) as cut, connection.begin():
                return question(connection)
        except sa.exc.DBAPIError as error:
            self.close()
            if cut.done:
                raise Again(f"no whole answer within {longest:g} s, and the connection was cut") from error
            raise classed(error, named, self.system, self._way.timeout) from error
        except BaseException:
            self.close()
            raise

    def _open(self) -> sa.Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
            with self._connection.begin():
                _limit_session(self._connection, self.dialect, self._way.timeout)
        return self._connection


def _engine(system: System, endpoint: Endpoint) -> sa.Engine:
    url = sa.make_url(endpoint.url)
    if url.drivername not in DRIVERS or not url.host or not url.database:
        raise Fatal(
            f"{system.system}: the Airflow connection {system.connection!r} leads to no database. Make it one of type "
            "postgres or mysql (MariaDB too) with host, port, login and password, and the database's name as schema."
        )
    scheme = url.drivername
    arguments: dict[str, object] = {"connect_timeout": CONNECT_SECONDS}
    if scheme == "postgres":
        arguments |= {"application_name": "onefold", **KEEPALIVE}
    else:  # a server that is gone without a word must not be waited for for ever
        arguments |= {"charset": "utf8mb4", "read_timeout": system.limits.timeout.total_seconds() + CONNECT_SECONDS}
    arguments |= {name: value for name, value in (endpoint.extra or {}).items() if name in TLS[scheme]}
    return sa.create_engine(
        url.set(drivername=DRIVERS[scheme], username=endpoint.login, password=endpoint.password),
        poolclass=NullPool,
        hide_parameters=True,
        json_deserializer=read_json,
        connect_args=arguments,
    )


def psycopg_connection(connection: sa.Connection) -> psycopg.Connection:
    """The driver's own connection. Raises Fatal when it is not PostgreSQL's."""
    found = connection.connection.driver_connection
    if not isinstance(found, psycopg.Connection):
        raise Fatal(f"the driver of this connection is {type(found).__name__}, not psycopg. Please report it as a bug.")
    return found


def _limit_session(connection: sa.Connection, dialect: str, timeout: float) -> None:
    """Read only, every statement within the timeout (locks that it waits for too), times in UTC, intervals as ISO 8601
    writes them."""
    if dialect == "postgresql":
        settings = {
            "default_transaction_read_only": "on",
            "statement_timeout": f"{timeout * 1000:.0f}",
            "idle_in_transaction_session_timeout": f"{timeout * 1000:.0f}",
            "TimeZone": "UTC",
            "DateStyle": "ISO",
            "IntervalStyle": "iso_8601",
        }
        connection.execute(sa.select(*(sa.func.set_config(name, value, False) for name, value in settings.items())))
        load_intervals_as_text(psycopg_connection(connection))
        return
    name, unit = ("max_statement_time", 1) if dialect == "mariadb" else ("max_execution_time", 1000)
    seconds = math.ceil(timeout)
    connection.execute(sa.text("set session transaction read only"))
    connection.execute(
        sa.text(f"set session time_zone = '+00:00', lock_wait_timeout = :wait, {name} = :longest"),
        {"wait": seconds, "longest": seconds * unit},
    )
