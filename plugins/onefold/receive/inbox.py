"""Writes events into the inbox: what comes while a commit is under way is written by the next one, together.

One commit for each request would end at a few hundred a second; so many requests share one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
from psycopg.types.json import Jsonb

EVENTS, BYTES = 1_000, 16 << 20
"""Of one commit, at most; one event more is taken beyond the bytes."""
WAITING = 64 << 20
"""Bytes that may wait for their commit; what comes then is refused at once."""
SECONDS = 5.0
"""How long a connection or a commit may take: senders wait for 3 to 10 seconds."""
_STORE = (
    "select inbox.store(%(systems)s::text[], %(streams)s::text[], %(event_ids)s::text[], %(headers)s::jsonb[],"
    " %(bodies)s::bytea[])"
)
_OPTIONS = f"-c synchronous_commit=on -c statement_timeout={int(SECONDS * 1000)} -c client_min_messages=warning"


class StorageDown(Exception):
    """The event is not known to be stored: the sender has to send it again."""


@dataclass(frozen=True, slots=True)
class InboxEvent:
    """What is stored of one request."""

    system: str
    stream: str
    event_id: str
    headers: dict[str, str]
    body: bytes


@dataclass(eq=False, slots=True)
class _Waiting:
    event: InboxEvent
    stored: asyncio.Future[None] = field(repr=False)


class Inbox:
    """The one writer of this process, running between `start` and `stop`. Several processes take turns in the
    database (inbox.store)."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: list[_Waiting] = []
        self._bytes = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._connection: psycopg.AsyncConnection | None = None
        self.stored = 0
        """Events that were new, since the start."""
        self.stored_at: datetime | None = None
        """When the last commit was."""

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._write())

    async def stop(self) -> None:
        """End; who still waits is told that the storage is down."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        _fail(self._waiting)
        await self._close()

    async def store(self, event: InboxEvent) -> None:
        """Return once the event is durable, or was before. Raises StorageDown when that is not certain."""
        if self._has_failed or self._bytes > WAITING:
            raise StorageDown
        waiting = _Waiting(event, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._bytes += len(event.body)
        self._wake.set()
        await waiting.stored

    async def check(self) -> None:
        """Raises StorageDown when nothing can be stored now: asked over a connection of its own."""
        if self._has_failed:
            raise StorageDown
        try:
            async with asyncio.timeout(SECONDS), await self._connect() as connection:
                await self._commit(connection, [])
        except (psycopg.Error, TimeoutError) as error:
            raise StorageDown from error

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            batch = self._take()
            try:
                await self._store(batch)
            except BaseException:
                _fail(batch + self._waiting)
                raise

    @property
    def _has_failed(self) -> bool:
        """Whether the writer has ended by a fault that nobody foresaw: the service has to be started again."""
        return self._task is not None and self._task.done()

    def _take(self) -> list[_Waiting]:
        size, count = 0, 0
        for each in self._waiting[:EVENTS]:
            count += 1
            size += len(each.event.body)
            if size >= BYTES:
                break
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        self._bytes -= size
        if not self._waiting:
            self._wake.clear()
        return batch

    async def _store(self, batch: list[_Waiting]) -> None:
        """Commit the batch; where PostgreSQL refuses its data, each event by itself, so that one harms no other."""
        try:
            async with asyncio.timeout(SECONDS):
                if self._connection is None or self._connection.closed:
                    self._connection = await self._connect()
                self.stored += await self._commit(self._connection, [each.event for each in batch])
                self.stored_at = datetime.now(UTC)
        except (psycopg.DataError, psycopg.IntegrityError):
            if len(batch) > 1:
                for each in batch:
                    await self._store([each])
                return
            _fail(batch)
        except (psycopg.Error, TimeoutError):
            await self._close()
            _fail(batch)
        for each in batch:
            if not each.stored.done():
                each.stored.set_result(None)

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, options=_OPTIONS, application_name="onefold hooks", connect_timeout=int(SECONDS)
        )

    @staticmethod
    async def _commit(connection: psycopg.AsyncConnection, events: list[InboxEvent]) -> int:
        """The statement is a transaction of its own: when it returns, it is durable."""
        values = {
            "systems": [each.system for each in events],
            "streams": [each.stream for each in events],
            "event_ids": [each.event_id for each in events],
            "headers": [Jsonb(each.headers) for each in events],
            "bodies": [each.body for each in events],
        }
        cursor = await connection.execute(_STORE, values, binary=True)
        row = await cursor.fetchone()
        return int(row[0]) if row else 0

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _fail(batch: list[_Waiting]) -> None:
    for each in batch:
        if not each.stored.done():
            each.stored.set_exception(StorageDown())
