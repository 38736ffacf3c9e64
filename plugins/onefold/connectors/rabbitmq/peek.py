"""Whether a queue, or the inbox that its messages go to, or a stream has messages after what is published of it.

A queue says how many messages wait. A stream does not say where it ends: a consumer that begins after the published
offset and takes one message at a time has one as soon as there is one. Both take nothing away.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError

from onefold.catalog.system import System
from onefold.connectors.inbox import position
from onefold.connectors.peek import asked_once
from onefold.connectors.rabbitmq.broker import Broker, Consumer
from onefold.connectors.rabbitmq.stream import Checkpoint
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A consumer of a stream that waits for the message at an offset."""

    offset: int
    channel: BlockingChannel
    consumer: Consumer


class BrokerPeek(Broker):
    """A connection to a RabbitMQ, and to the warehouse's inbox."""

    def __init__(self, system: System, endpoint: Endpoint) -> None:
        super().__init__(asked_once(system), endpoint, lambda _: None)
        self._connection: pika.BlockingConnection | None = None
        self._waiting: dict[str, _Waiting] = {}

    def __enter__(self) -> Self:
        super().__enter__()
        with self._classed(self._way.named("CHECK", "")):
            self._connection = pika.BlockingConnection(self._parameters)
        return self

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        if self._connection is not None:
            with suppress(AMQPError, OSError):  # as in Broker
                self._connection.close()

    def has_more(self, stream_name: str, checkpoints: Mapping[str, str]) -> bool:
        """As Peek says. What is published of a stream, but is not there any more, the next load tells."""
        request = self._system.streams[stream_name].request
        names = (self._system.system, stream_name)
        with self._classed(self._way.named("CHECK", request.queue or request.stream or "")):
            if request.queue:
                if self.inbox.end(*names) > position(checkpoints.get("", "0"), ".".join(names)):
                    return True
                with self._open.channel() as channel:
                    return bool(channel.queue_declare(request.queue, passive=True).method.message_count)
            held = Checkpoint.of(checkpoints[""], ".".join(names)) if "" in checkpoints else Checkpoint("")
            return self._waiting_at(stream_name, held.offset + 1).consumer.has_next()

    def _waiting_at(self, stream_name: str, offset: int) -> _Waiting:
        waiting = self._waiting.get(stream_name)
        if waiting is None or waiting.offset != offset:
            if waiting is not None:
                with suppress(AMQPError):  # as in Broker
                    waiting.channel.close()
            channel = self._open.channel()
            stream = self._system.streams[stream_name].request.stream or ""
            waiting = _Waiting(offset, channel, Consumer(channel, stream, 1, {"x-stream-offset": offset}))
            self._waiting[stream_name] = waiting
        return waiting

    @property
    def _open(self) -> pika.BlockingConnection:
        if self._connection is None:
            raise Fatal("A broker was looked at before it was connected to. Please report it as a bug.")
        return self._connection
