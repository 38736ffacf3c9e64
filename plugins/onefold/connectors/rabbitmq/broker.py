"""The one way out to a RabbitMQ: each question has a connection of its own, keeps the rates, is tried again, and is
counted."""

from __future__ import annotations

import logging
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Self, TypeVar, Unpack
from urllib.parse import unquote, urlsplit

import pika
from pika import exceptions
from pika.adapters.blocking_connection import BlockingChannel

from onefold.catalog.system import System
from onefold.connectors.inbox import Inbox
from onefold.errors import Fatal, Retriable
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.failure import Again
from onefold.http.persistent import AttemptSettings, Persistent

T = TypeVar("T")
logging.getLogger("pika").setLevel(logging.CRITICAL)  # its errors are raised as well, and told by us
QUIET = 2.0
"""Seconds without a message after which no more is expected."""
_NOT_FOUND, _REFUSED, _LOCKED = 404, 403, 405


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it was delivered. `offset` is its place in a stream."""

    tag: int
    redelivered: bool
    message_id: str | None
    offset: int | None
    body: bytes


class Consumer:
    """A consumer of a queue or stream, which has at most `prefetch` messages that are not acknowledged yet."""

    def __init__(
        self, channel: BlockingChannel, queue: str, prefetch: int, arguments: Mapping[str, object] | None = None
    ) -> None:
        self._channel = channel
        self._prefetch = prefetch
        self._arrived: deque[Delivery] = deque()
        self._ended = False
        channel.basic_qos(prefetch_count=prefetch)
        channel.add_on_cancel_callback(self._end)
        channel.basic_consume(queue, self._take, arguments=dict(arguments or {}))

    def next(self, seconds: float = QUIET) -> Delivery | None:
        """The next message; None when none has come for so long, or the queue was deleted."""
        until = time.monotonic() + seconds
        while not self._arrived:
            left = until - time.monotonic()
            if left <= 0 or self._ended:
                return None
            self._channel.connection.process_data_events(left)
        return self._arrived.popleft()

    def has_next(self) -> bool:
        """Whether a message has come that next() gives. Raises Retriable when the queue was deleted."""
        self._channel.connection.process_data_events(0)
        if self._ended:
            raise Retriable("the queue was deleted while it was read")
        return bool(self._arrived)

    def batch(self, rows: int, size: int) -> list[Delivery]:
        """The next messages: so many, or fewer once they have so many bytes, or when no more come."""
        found: list[Delivery] = []
        while len(found) < rows and size > 0 and (delivery := self.next()):
            found.append(delivery)
            size -= len(delivery.body)
        return found

    def acknowledge(self, last: Delivery, *, heard: bool = False) -> None:
        """All messages up to this one; the broker has `heard` it when this returns."""
        self._channel.basic_ack(last.tag, multiple=True)
        if heard:
            self._channel.basic_qos(prefetch_count=self._prefetch)  # answered after all that was said before

    def _take(
        self, _: BlockingChannel, method: pika.spec.Basic.Deliver, properties: pika.BasicProperties, body: bytes
    ) -> None:
        offset = (properties.headers or {}).get("x-stream-offset")
        named = properties.message_id
        if isinstance(named, bytes):  # no UTF-8
            named = named.decode(errors="backslashreplace")
        place = int(offset) if isinstance(offset, int) else None  # of a class of the driver's own
        self._arrived.append(Delivery(method.delivery_tag or 0, method.redelivered, named, place, body))

    def _end(self, _: object) -> None:
        self._ended = True


class Broker:
    """Asks one RabbitMQ. A context manager; `inbox` is where messages go that the broker forgets.

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
        self.inbox = Inbox()
        place = urlsplit(endpoint.url).netloc
        self._way = Persistent(system, endpoint, place, on_attempt, **settings)
        self._parameters = _parameters(system, endpoint, self._way.timeout)

    def __enter__(self) -> Self:
        self.inbox.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.inbox.__exit__()

    def ask(self, verb: str, queue: str, question: Callable[[BlockingChannel], tuple[T, int]]) -> T:
        """What `question` finds out over a channel of a connection of its own; it returns that and its size in bytes.

        A lost connection: asked again. Raises Retriable when that goes on for too long, Fatal when the broker refuses.
        """
        named = self._way.named(verb, queue)

        def once() -> T:
            with self._way.attempt(verb, queue) as outcome, self._classed(named):
                with self._channel() as channel:
                    answer, outcome.bytes = question(channel)
                outcome.status = "ok"
                return answer

        return self._way.persist(named, once)

    @contextmanager
    def _channel(self) -> Iterator[BlockingChannel]:
        connection = pika.BlockingConnection(self._parameters)
        try:
            yield connection.channel()
        finally:
            # A stream refuses to take back what was delivered and not taken, which pika tells it while it closes.
            with suppress(exceptions.AMQPError, OSError):
                connection.close()

    @contextmanager
    def _classed(self, named: str) -> Iterator[None]:
        """Again when the same question may be answered later, Fatal with what to fix when it may not."""
        connection = f"the Airflow connection {self._system.connection!r}"
        try:
            yield
        except (exceptions.ProbableAuthenticationError, exceptions.AuthenticationError) as error:
            raise Fatal(
                f"{named} was refused: the sign-in failed. Check login and password of {connection}."
            ) from error
        except exceptions.ProbableAccessDeniedError as error:
            raise Fatal(
                f"{named} was refused: there is no such virtual host, or the login may not enter it. Check the schema, "
                f"which is the virtual host, of {connection}, and the login's permissions."
            ) from error
        except ssl.SSLError as error:
            raise Fatal(
                f"{named} failed: no TLS connection could be made. Check ssl, ssl_ca_certs and the port of "
                f"{connection}, and whether the certificate names its host."
            ) from error
        except exceptions.ChannelClosedByBroker as error:
            raise _refusal(error, named, connection) from error
        except (exceptions.AMQPError, OSError) as error:
            raise Again(f"the connection failed ({type(error).__name__})") from error


def _refusal(error: exceptions.ChannelClosedByBroker, named: str, connection: str) -> Exception:
    if error.reply_code == _NOT_FOUND:
        return Fatal(
            f"{named} was refused: there is no such queue or stream. Compare request.queue or request.stream in the "
            f"system's YAML with the broker, and the schema (virtual host) of {connection}."
        )
    if error.reply_code == _LOCKED or "exclusive" in error.reply_text:
        return Retriable(f"{named} was refused: {ANOTHER_CONSUMER}")
    if error.reply_code == _REFUSED:
        return Fatal(
            f"{named} was refused: the login of {connection} may not read it. Give it the right: "
            "rabbitmqctl set_permissions -p <virtual host> <login> '^$' '^$' '^<queue>$'"
        )
    return Fatal(f"{named} was refused with {error.reply_code}. Compare the stream's YAML with the broker.")


ANOTHER_CONSUMER = (
    "the queue has another consumer, which would take a part of the messages. If that is no other load of this stream "
    "which has just ended, give Onefold a queue of its own, bound to the same exchange; nothing was taken."
)


def _parameters(system: System, endpoint: Endpoint, timeout: float) -> pika.ConnectionParameters:
    where, extra = urlsplit(endpoint.url), endpoint.extra or {}
    if where.scheme not in ("amqp", "amqps") or not where.hostname:
        raise Fatal(
            f"{system.system}: the Airflow connection {system.connection!r} does not lead to a RabbitMQ. Give it the "
            "type amqp, with host, port, login and password; its schema is the virtual host."
        )
    tls = where.scheme == "amqps" or extra.get("ssl", "").lower() == "true"
    options = None
    if tls:
        context = ssl.create_default_context(cafile=extra.get("ssl_ca_certs") or None)
        if extra.get("ssl_certfile"):
            context.load_cert_chain(extra["ssl_certfile"], extra.get("ssl_keyfile") or None)
        options = pika.SSLOptions(context, where.hostname)
    return pika.ConnectionParameters(
        host=where.hostname,
        port=where.port or (5671 if tls else 5672),
        virtual_host=unquote(where.path.removeprefix("/")) or "/",
        credentials=pika.PlainCredentials(endpoint.login or "guest", endpoint.password or ""),
        ssl_options=options,
        socket_timeout=timeout,
        stack_timeout=timeout,
        blocked_connection_timeout=timeout,
        client_properties={"connection_name": f"onefold {system.system}"},
    )
