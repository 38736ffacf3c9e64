"""The one way out to a source that is a database: one read-only connection; every query keeps the rates, is tried
again, and is counted. What onefold.http.client.Client is for HTTP.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import sqlalchemy as sa
import tenacity
from purgatory import SyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState
from sqlalchemy.pool import NullPool

from onefold.catalog.system import System
from onefold.connectors.database_trouble import Slow, classed
from onefold.connectors.page import Endpoint
from onefold.connectors.relation import read_json
from onefold.errors import Fatal, OnefoldError, Retriable
from onefold.http.attempt import Attempt
from onefold.http.breaker import BREAKERS, watched
from onefold.http.client import IN_PROCESS_LIMITER
from onefold.http.failure import Again, Spent, circuit_open, gave_up
from onefold.http.limit import Limiter, rate

T = TypeVar("T")
log = logging.getLogger(__name__)

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

    Every attempt is handed to `on_attempt`, the failed ones too: status "ok", or what went wrong. `limiter` is shared
    by all who talk to the system; by default it is shared within this process only.
    """

    def __init__(
        self,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        limiter: Limiter = IN_PROCESS_LIMITER,
        *,
        stream: str = "",
        breakers: SyncCircuitBreakerFactory = BREAKERS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.system = system
        self.stream = stream
        self._on_attempt = on_attempt
        self._limiter = limiter
        given = (endpoint.extra or {}).get("rate")
        self._rates = [rate(text) for text in ([given] if given else system.limits.rate)]
        self._breakers = breakers
        self._sleep = sleep
        self._timeout = system.limits.timeout.total_seconds()
        self._longest = self._timeout * system.limits.attempts
        self._secrets = {text for text in (endpoint.password,) if text}
        self._engine = _engine(system, endpoint, self._timeout)
        self._connection: sa.Connection | None = None
        self._last_failure: Again | None = None

    def __enter__(self) -> Database:
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

        A lost connection, a timeout or a server that is busy: asked again, over a new connection. Raises Retriable
        when that goes on for too long, Fatal when the database refuses. `verb` and `table` are for messages and usage.
        """
        stream = f".{self.stream}" if self.stream else ""
        named = f"{self.system.system}{stream}: {verb} {table}"

        def once() -> T:
            with watched(self._breakers, f"{self.system.system} at {self._engine.url.host}"):
                self._wait_for_turn(named)
                return self._measured(named, verb, table, question)

        def tell(state: tenacity.RetryCallState) -> None:
            failure = state.outcome.exception() if state.outcome else "failed"
            tried = f"attempt {state.attempt_number} of {self.system.limits.attempts}"
            log.warning("%s: %s; %s, the next in %.1f s", named, failure, tried, state.upcoming_sleep)

        retrying = tenacity.Retrying(
            sleep=self._sleep,
            stop=tenacity.stop_after_attempt(self.system.limits.attempts) | tenacity.stop_before_delay(self._longest),
            wait=tenacity.wait_random_exponential(multiplier=1, max=self._timeout),
            retry=tenacity.retry_if_exception_type(Again),
            before_sleep=tell,
            reraise=True,
        )
        try:
            return retrying(once)
        except Slow as error:
            raise Retriable(
                f"{named} had no answer within {self._timeout:g} s, {retrying.statistics['attempt_number']} times. See "
                "that no lock is held there for so long and that an index begins with the cursor and the key; or "
                "ask for less at once (next.size) or wait longer (limits.timeout) in the system's YAML. Nothing was "
                "changed here."
            ) from error
        except Again as error:
            raise gave_up(named, error, retrying.statistics["attempt_number"], self.system.connection) from error
        except OpenedState as error:
            ttl = self._breakers.default_ttl
            raise circuit_open(named, self.system.system, self._last_failure, ttl) from error

    def _wait_for_turn(self, named: str) -> None:
        wait = self._limiter.reserve(self.system.system, self._rates, self._longest)
        if wait is None:
            raise Spent(
                f"{named} was not asked: the rate limit of {self.system.system} "
                f"({', '.join(r.text for r in self._rates)}) is used up for more than {self._longest:.0f} s. Run it "
                "later, or raise limits.rate in the system's YAML if the database bears more."
            )
        if wait > 0:
            self._sleep(wait)

    def _measured(self, named: str, verb: str, table: str, question: Callable[[sa.Connection], tuple[T, int]]) -> T:
        at, started = datetime.now(UTC), time.monotonic()
        error: str | None = None
        size = 0
        try:
            answer, size = self._asked(named, question)
            return answer
        except Again as failure:
            error = failure.what
            self._last_failure = failure
            raise
        except OnefoldError as failure:
            error = type(failure).__name__
            raise
        finally:
            self._on_attempt(
                Attempt(
                    system=self.system.system,
                    stream=self.stream,
                    method=verb,
                    path=table,
                    status="ok",
                    error=error,
                    bytes=size,
                    milliseconds=round((time.monotonic() - started) * 1000),
                    at=at,
                )
            )

    def _asked(self, named: str, question: Callable[[sa.Connection], tuple[T, int]]) -> tuple[T, int]:
        try:
            connection = self._open()
            with connection.begin():
                return question(connection)
        except sa.exc.DBAPIError as error:
            self.close()
            raise classed(error, named, self.system.connection, self._timeout, self._secrets) from error
        except BaseException:
            self.close()
            raise

    def _open(self) -> sa.Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
            with self._connection.begin():
                _limit_session(self._connection, self.dialect, self._timeout)
        return self._connection


def _engine(system: System, endpoint: Endpoint, timeout: float) -> sa.Engine:
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
        arguments |= {"charset": "utf8mb4", "read_timeout": timeout + CONNECT_SECONDS}
    arguments |= {name: value for name, value in (endpoint.extra or {}).items() if name in TLS[scheme]}
    return sa.create_engine(
        url.set(drivername=DRIVERS[scheme], username=endpoint.login, password=endpoint.password),
        poolclass=NullPool,
        hide_parameters=True,
        json_deserializer=read_json,
        connect_args=arguments,
    )


def _limit_session(connection: sa.Connection, dialect: str, timeout: float) -> None:
    """Read only, every statement within the timeout (locks that it waits for too), and times in UTC."""
    if dialect == "postgresql":
        settings = {
            "default_transaction_read_only": "on",
            "statement_timeout": f"{timeout * 1000:.0f}",
            "idle_in_transaction_session_timeout": f"{timeout * 1000:.0f}",
            "TimeZone": "UTC",
            "DateStyle": "ISO",
        }
        connection.execute(sa.select(*(sa.func.set_config(name, value, False) for name, value in settings.items())))
        return
    name, unit = ("max_statement_time", 1) if dialect == "mariadb" else ("max_execution_time", 1000)
    seconds = math.ceil(timeout)
    connection.execute(sa.text("set session transaction read only"))
    connection.execute(
        sa.text(f"set session time_zone = '+00:00', lock_wait_timeout = :wait, {name} = :longest"),
        {"wait": seconds, "longest": seconds * unit},
    )
