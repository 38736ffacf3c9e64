"""Reads a RabbitMQ stream by its offsets, from the one after the published one to the end it has when the load begins.

A stream without a published offset (it is new, was rolled back, or is loaded anew) is read from its oldest message.
Each load reads the message at its published offset once more: where that is another one than before, the stream was
deleted and made anew; where it is gone, messages after it may be gone too. How many these are at most is known: what
the broker notes in a stream for itself has offsets too (rabbitmq.com, "Offset Tracking with RabbitMQ Streams").
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec
from pika.adapters.blocking_connection import BlockingChannel

from onefold.catalog.system import System
from onefold.connectors.emptied import Emptied
from onefold.connectors.lag import Lag
from onefold.connectors.message_records import MessageRecords
from onefold.connectors.page import Page, PageReader
from onefold.connectors.partition import Partition
from onefold.connectors.rabbitmq.broker import QUIET, Broker, Consumer, Delivery
from onefold.connectors.record import Record
from onefold.connectors.stored_position import anew, stored
from onefold.connectors.window import Window
from onefold.errors import Fatal
from onefold.http.failure import Again

ROWS = 5_000
"""Messages of a page where the YAML's next.size does not say."""
BYTES = 16 << 20
"""Of a page's messages; the one that reaches it is the last."""
CHUNK = 0.2
"""Seconds within which a chunk's further messages come."""
NONE = -1
"""The offset before the first one."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a stream is published: up to the message at `offset`, whose `digest` tells whether it is still the same
    stream. `epoch` is when the stream was first read, or read anew (seconds since 1970), and `as_of` when the offset
    was the stream's end."""

    stream: str
    offset: int = NONE
    digest: str = ""
    epoch: int = 0
    as_of: datetime | None = None

    def text(self) -> str:
        """The checkpoint as it is stored."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def of(cls, text: str, named: str) -> Checkpoint:
        """The stored checkpoint. Raises Fatal when it is none of this kind."""
        with stored(named, "offset of a RabbitMQ stream"):
            return msgspec.json.decode(text, type=cls)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a load stands: `at` is what it has read. It ends with the offset `end`, or where nothing more comes;
    `began` is when it looked. `since`: when a message said that the table was emptied."""

    at: Checkpoint
    end: int
    began: datetime
    since: datetime | None = None

    def token(self) -> str:
        return msgspec.json.encode(self).decode()


def stream_reader(system: System, stream_name: str, broker: Broker) -> PageReader:
    """Reads the pages of one stream. Raises Fatal when messages are missing after the published offset."""
    return _Reader(system, stream_name, broker).read


def stream_lag(system: System, stream_name: str, broker: Broker, checkpoint: str) -> Lag:
    """How far what is published is behind the stream's end."""
    reader = _Reader(system, stream_name, broker)
    held = Checkpoint.of(checkpoint, f"{system.system}.{stream_name}")
    return lag(held, max(reader.last_offset(), held.offset))


def lag(held: Checkpoint, end: int) -> Lag:
    """How far an offset is behind another."""
    messages = max(end - held.offset, 0)
    behind = timedelta() if not messages else None if held.as_of is None else datetime.now(UTC) - held.as_of
    return Lag(str(held.offset), str(end), behind, lag_messages=messages)


class _Reader:
    def __init__(self, system: System, stream_name: str, broker: Broker) -> None:
        stream = system.streams[stream_name]
        self._named = f"{system.system}.{stream_name}"
        self._broker = broker
        self._stream = stream.request.stream or ""
        self._records = MessageRecords(system, stream_name)
        self._size = stream.next.size or ROWS

    def read(self, window: Window, token: str | None) -> Iterator[Page]:
        """The pages of the load; the window's times say nothing here."""
        if token is not None:
            yield from self._pages(msgspec.json.decode(token, type=Place))
            return
        stored = window.checkpoints.get("")
        began = datetime.now(UTC)
        end = self.last_offset()
        held = Checkpoint(self._stream, epoch=int(began.timestamp()))
        if stored is not None:
            held = Checkpoint.of(stored, self._named)
            if end < held.offset:
                raise self._lost(held, f"the stream ends at offset {end}: it was deleted and made anew")
            if end == held.offset != NONE:
                self._after(held, end)  # whether it is the same message
        place = Place(held, end, began)
        yield Page([], datetime.now(UTC), place.token(), lag=lag(held, end))
        yield from self._pages(place)

    def _pages(self, place: Place) -> Iterator[Page]:
        while True:
            found = self._after(place.at, place.end) if place.at.offset < place.end else []
            records: list[Record] = []
            for message in found:
                for record in self._of(place.at.epoch, message):
                    if not isinstance(record, Emptied):
                        records.append(record)
                        continue
                    if records:
                        yield Page(records, datetime.now(UTC), place.token())
                        records = []
                    place = replace(place, since=datetime.now(UTC))
            if found:
                place = replace(place, at=replace(place.at, offset=found[-1].offset or 0, digest=_digest(found[-1])))
            if not found or place.at.offset >= place.end:
                break
            yield Page(records, datetime.now(UTC), place.token())
        at = replace(place.at, as_of=place.began)
        yield Page(records, datetime.now(UTC), None, ended=(Partition("", at.text(), snapshot_since=place.since),))

    def last_offset(self) -> int:
        """The stream's last offset, or one that was it a moment ago; -1 where it is empty."""

        def look(channel: BlockingChannel) -> tuple[int, int]:
            consumer = Consumer(channel, self._stream, ROWS, {"x-stream-offset": "last"})
            last, until = NONE, time.monotonic() + QUIET
            found = consumer.next()
            while found is not None:  # the last chunk's messages, and what comes meanwhile
                consumer.acknowledge(found)
                last = found.offset if found.offset is not None else last
                found = consumer.next(min(CHUNK, until - time.monotonic()))
            return last, 0

        return self._broker.ask("CHECK", self._stream, look)

    def _after(self, held: Checkpoint, end: int) -> list[Delivery]:
        """The next messages after those that were read, up to an offset. Raises Fatal when some are missing."""
        start, most = max(held.offset, 0), self._size + (held.offset != NONE)

        def ask(channel: BlockingChannel) -> tuple[list[Delivery], int]:
            consumer = Consumer(channel, self._stream, most, {"x-stream-offset": start})
            found: list[Delivery] = []
            size, last = 0, NONE
            while last < end and len(found) < most and size < BYTES and (message := consumer.next()):
                found.append(message)
                last = message.offset or 0
                size += len(message.body) if last != held.offset else 0
            if last < min(end, held.offset + 1):
                raise Again("no message came, and some are there")
            return found, size

        found = self._broker.ask("CONSUME", self._stream, ask)
        if held.offset == NONE:
            return found
        first = found[0].offset or 0
        if first == held.offset:
            if _digest(found[0]) != held.digest:
                raise self._lost(held, "the message at that offset is another one: the stream was made anew")
            return found[1:]
        if first > held.offset + 1:
            missing = first - held.offset - 1
            raise self._lost(
                held, f"up to {missing:,} messages were removed by the stream's retention before they were read"
            )
        return found

    def _of(self, epoch: int, message: Delivery) -> Iterator[Record | Emptied]:
        """What the message says. Where that has no order of its own, the offset is the order of versions."""
        for place, record in enumerate(self._records.of(message.body)):
            if isinstance(record, Emptied) or self._records.ordered:
                yield record
            else:
                stamp = f"{epoch:010d}.{message.offset:020d}.{place:06d}"
                yield Record(record.key, stamp, record.deleted, record.payload)

    def _lost(self, held: Checkpoint, what: str) -> Fatal:
        return Fatal(
            f"{self._named}: not all messages after offset {held.offset} can be had: {what}. Nothing was loaded, and "
            "what is published stays. Let the stream keep more (x-max-age, x-max-length-bytes), then read on from its "
            f"oldest message: {anew(self._named)} (docs/queues.md)."
        )


def _digest(message: Delivery) -> str:
    return hashlib.sha256(f"{message.message_id}\n".encode() + message.body).hexdigest()
