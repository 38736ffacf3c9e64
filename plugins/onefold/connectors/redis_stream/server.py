"""The one way out to a Redis: one connection; every command keeps the rates, is tried again, and is counted."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, Self, TypeVar, Unpack
from urllib.parse import urlsplit

import redis
from redis import exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.failure import Again
from onefold.http.persistent import AttemptSettings, Persistent

T = TypeVar("T")
_LATER = (
    *(exceptions.ConnectionError, exceptions.TimeoutError),
    *(exceptions.ClusterDownError, exceptions.MasterDownError, exceptions.TryAgainError),
)
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


class RedisServer:
    """Asks one Redis. A context manager that keeps its connection open until its end.

    What attempts have in common with those of other protocols, and the further arguments, are Persistent's.
    """

    def __init__(
        self,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> None:
        self._system = system
        arguments = _arguments(system, endpoint)
        self._way = Persistent(system, endpoint, f"{arguments['host']}:{arguments['port']}", on_attempt, **settings)
        seconds = self._way.timeout
        self._redis = redis.Redis(
            **arguments, socket_timeout=seconds, socket_connect_timeout=seconds, retry=Retry(NoBackoff(), 0)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._redis.close()

    def ask(self, verb: str, key: str, question: Callable[[redis.Redis], tuple[T, int]]) -> T:
        """What `question` finds out; it returns that and its size in bytes, and writes nothing.

        A lost connection, or a server that is loading its data or failing over: asked again. Raises Retriable when that
        goes on for too long, Fatal when the server refuses.
        """
        named = self._way.named(verb, key)

        def once() -> T:
            with self._way.attempt(verb, key) as outcome:
                try:
                    answer, outcome.bytes = question(self._redis)
                except exceptions.RedisError as error:
                    raise self._classed(error, named) from error
                outcome.status = "ok"
                return answer

        return self._way.persist(named, once)

    def _classed(self, error: exceptions.RedisError, named: str) -> Exception:
        """Again when the same question may be answered later, Fatal with what to fix when it may not."""
        connection = f"the Airflow connection {self._system.connection!r}"
        kind = type(error).__name__  # its text could hold values
        if isinstance(error, exceptions.AuthenticationError | exceptions.AuthorizationError):
            return Fatal(f"{named} was refused: the sign-in failed. Check login and password of {connection}.")
        if isinstance(error, exceptions.NoPermissionError):
            return Fatal(
                f"{named} was refused: the login of {connection} may not do that. Give it the right: "
                "ACL SETUSER <login> %R~<stream> +xinfo|stream +xrange +time"
            )
        if isinstance(error.__cause__, ssl.SSLError) or "SSL" in str(error):
            return Fatal(
                f"{named} failed: no TLS connection could be made. Check ssl, ssl_ca_certs and ssl_check_hostname in "
                f"the extra of {connection}, and whether the server's port speaks TLS."
            )
        if isinstance(error, exceptions.MovedError):
            return Fatal(
                f"{named} was refused: the key is on another node of a Redis cluster. Write the host and port of the "
                f"node that has it into {connection}."
            )
        if isinstance(error, _LATER):
            return Again(f"the connection failed ({kind})")
        if isinstance(error, exceptions.ResponseError) and str(error).startswith("WRONGTYPE"):
            return Fatal(
                f"{named} was refused: the key is no stream, but of another type. Compare request.stream in the "
                "system's YAML, and the database number (db in the connection's extra), with the source."
            )
        return Fatal(f"{named} was refused ({kind}). Compare the stream's YAML with the source.")


def _arguments(system: System, endpoint: Endpoint) -> dict[str, Any]:
    where, extra = urlsplit(endpoint.url), endpoint.extra or {}
    if where.scheme not in ("redis", "rediss") or not where.hostname:
        raise Fatal(
            f"{system.system}: the Airflow connection {system.connection!r} does not lead to a Redis. Give it the "
            "type redis, with host and port."
        )
    database = extra.get("db") or where.path.strip("/") or "0"
    if not database.isdecimal():
        raise Fatal(f"{system.system}: db in the extra of {system.connection!r} is no number of a database.")
    arguments: dict[str, Any] = {
        "host": where.hostname,
        "port": where.port or 6379,
        "db": int(database),
        "username": endpoint.login or None,
        "password": endpoint.password or None,
    }
    if where.scheme == "rediss" or extra.get("ssl", "").lower() == "true":
        arguments |= {"ssl": True, "ssl_check_hostname": extra.get("ssl_check_hostname", "").lower() != "false"}
        arguments |= {name: extra[name] for name in _TLS_FILES if extra.get(name)}
    return arguments
