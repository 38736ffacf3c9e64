"""Takes the messages of a classic or quorum queue. Such a queue has no position: what is acknowledged is gone.

So a load first brings them into the inbox, and acknowledges only what is durable there; then it reads the inbox as
webhooks are read. A message whose acknowledgement was lost comes once more: it is known by its message_id. Messages
without one are known together: a batch is acknowledged before the next one is stored, so that what comes once more is
the batch that was stored last, whole and in the same order. (Two messages without an id may have the same body and mean
twice the same: that alone makes no message a copy.)
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import takewhile

from pika.adapters.blocking_connection import BlockingChannel

from onefold.catalog.system import System
from onefold.connectors.inbox import Posted, position
from onefold.connectors.lag import Lag
from onefold.connectors.page import Page, PageReader
from onefold.connectors.rabbitmq.broker import ANOTHER_CONSUMER, Broker, Consumer, Delivery
from onefold.connectors.webhook.reader import webhook_reader
from onefold.connectors.window import Window
from onefold.errors import Retriable
from onefold.http.failure import Again

ROWS = 1_000
"""Messages of one commit, and those that may be delivered before they are acknowledged. Loads that follow each other
must agree about it: a batch that comes once more has to be the same one."""
BYTES = 16 << 20
"""Of one commit's messages; the one that reaches it is the last."""
MESSAGES = 1_000_000
"""Messages after which a load takes no more; the next one goes on."""
LONGEST_ID = 100
"""Of a message_id as it is stored; a longer one is stored as its digest."""

log = logging.getLogger(__name__)


def queue_reader(system: System, stream_name: str, broker: Broker) -> PageReader:
    """Takes what the queue has when the load begins, then reads the inbox."""
    of_inbox = webhook_reader(system, stream_name, broker.inbox)

    def read(window: Window, token: str | None) -> Iterator[Page]:
        if token is None:
            _take(system, stream_name, broker)
        yield from of_inbox(window, token)

    return read


def queue_lag(system: System, stream_name: str, broker: Broker, checkpoint: str) -> Lag:
    """What waits in the inbox and in the queue. How long messages wait in the queue, the broker does not say."""
    waiting = broker.ask("CHECK", queue := _queue(system, stream_name), lambda channel: (_count(channel, queue)[0], 0))
    held = position(checkpoint, f"{system.system}.{stream_name}")
    stored = broker.inbox.lag(system.system, stream_name, held)
    behind = stored.behind if stored.lag_messages or not waiting else None
    messages = (stored.lag_messages or 0) + waiting
    return Lag(stored.position, stored.log_end, behind if messages else timedelta(), lag_messages=messages)


def _queue(system: System, stream_name: str) -> str:
    return system.streams[stream_name].request.queue or ""


def _count(channel: BlockingChannel, queue: str) -> tuple[int, int]:
    """How many messages wait in the queue, and how many consumers it has."""
    found = channel.queue_declare(queue, passive=True).method
    return found.message_count, found.consumer_count


def _take(system: System, stream_name: str, broker: Broker) -> None:
    """Bring what waits in the queue into the inbox."""
    queue = _queue(system, stream_name)
    named = f"{system.system}.{stream_name}"

    def take(channel: BlockingChannel) -> tuple[None, int]:
        waiting, others = _count(channel, queue)
        if others:
            raise Retriable(f"{named}: {ANOTHER_CONSUMER}")
        if not waiting:
            return None, 0
        consumer = Consumer(channel, queue, ROWS)
        if _count(channel, queue)[1] > 1:
            raise Retriable(f"{named}: {ANOTHER_CONSUMER}")

        def keep(messages: Sequence[Delivery], last: Delivery) -> None:
            broker.inbox.store(system.system, stream_name, posted(messages))
            consumer.acknowledge(last, heard=True)

        taken, size = 0, 0
        most = min(waiting, MESSAGES)
        while taken < most and (batch := consumer.batch(min(ROWS, most - taken), BYTES)):
            known = 0
            if not taken and batch[0].redelivered:
                if len(batch) < min(ROWS, most) and sum(len(each.body) for each in batch) < BYTES:
                    raise Again("not all came that waits")
                known = count_stored(broker.inbox.last_ids(system.system, stream_name, ROWS), batch)
            if known:
                keep([each for each in batch[:known] if each.message_id], batch[known - 1])
            if new := batch[known:]:
                keep(new, new[-1])
            taken += len(batch)
            size += sum(len(each.body) for each in batch)
        log.info("%s: %s messages were taken from the queue", named, f"{taken:,}")
        return None, size

    broker.ask("CONSUME", queue, take)


def posted(batch: Sequence[Delivery]) -> list[Posted]:
    """The messages as events. One without a message_id has an id that says of which batch it is: it is no copy,
    whatever its body."""
    number = uuid.uuid4().hex
    return [
        Posted(identity(each) if each.message_id else f"{identity(each)}:{number}.{place}", {}, each.body)
        for place, each in enumerate(batch)
    ]


def count_stored(stored: Sequence[str], batch: Sequence[Delivery]) -> int:
    """How many of the first messages are the batch that was stored last, and whose acknowledgement was lost: 0 where
    they do not begin with all of it that has no message_id. `stored` are the ids stored last.

    Where a load died before it stored messages that are equal to the batch before them, they count too: the same twice,
    one after the other, is enough once.
    """
    without_id = [event_id.rpartition(".")[0].rpartition(":") for event_id in stored if event_id.startswith("sha256:")]
    last = [known for known, _, number in without_id if number == without_id[-1][2]]
    again = [*takewhile(lambda each: each.redelivered, batch)]
    places = [place for place, each in enumerate(again, 1) if not each.message_id][: len(last)]
    return places[-1] if last and [identity(again[place - 1]) for place in places] == last else 0


def identity(delivery: Delivery) -> str:
    """What a message is known by when it comes once more."""
    named = delivery.message_id
    if named and len(named) <= LONGEST_ID and named.isprintable():
        return f"id:{named}"
    if named:
        return f"id:sha256:{hashlib.sha256(named.encode(errors='surrogatepass')).hexdigest()}"
    return f"sha256:{hashlib.sha256(delivery.body).hexdigest()}"
