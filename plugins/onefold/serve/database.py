"""The API's sessions in the warehouse: some that only read, as onefold_api or, for a client that may see personal data,
onefold_api_people; and the writer's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from onefold.serve.json_text import decode
from onefold.warehouse.access import API_PEOPLE

SECONDS = 5
"""How long one statement of a request may take."""
_READS = f"-c default_transaction_read_only=on -c statement_timeout={SECONDS}s -c TimeZone=UTC -c DateStyle=ISO,DMY"
_WRITES = "-c TimeZone=UTC -c DateStyle=ISO,DMY -c lock_timeout=30s"
Row = dict[str, Any]
Parameters = Sequence[object] | Mapping[str, object]


class Sessions:
    """So many sessions at most, made when they are needed, given to one request at a time."""

    def __init__(self, url: str, most: int, options: str, role: str | None = None) -> None:
        self._url = url
        self._options = options
        self._role = role
        self._free: list[psycopg.AsyncConnection[Row]] = []
        self._places = asyncio.Semaphore(most)

    async def fetch(self, query: LiteralString, parameters: Parameters = ()) -> list[Row]:
        """The rows of a statement that is a transaction of its own. Raises psycopg.Error."""
        async with self.session() as connection:
            cursor = await connection.execute(query, parameters)
            return await cursor.fetchall() if cursor.description else []

    @asynccontextmanager
    async def session(self) -> AsyncIterator[psycopg.AsyncConnection[Row]]:
        """A session, for as long as the block; one that broke is not given to the next."""
        async with self._places:
            connection = self._free.pop() if self._free else await self._connect()
            try:
                yield connection
            except psycopg.OperationalError:
                await self._end_broken(connection)
                raise
            except asyncio.CancelledError:
                await connection.close()
                raise
            finally:
                if not connection.closed:
                    self._free.append(connection)

    async def close(self) -> None:
        """End the free sessions."""
        while self._free:
            await self._free.pop().close()

    async def _end_broken(self, connection: psycopg.AsyncConnection[Row]) -> None:
        """Where the server went away, every session that is free is broken too."""
        if connection.closed:
            await self.close()

    async def _connect(self) -> psycopg.AsyncConnection[Row]:
        connection = await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, options=self._options, application_name="onefold api", connect_timeout=SECONDS,
            row_factory=dict_row,
        )  # fmt: skip
        set_json_loads(decode, connection)
        if self._role:
            await connection.execute(psycopg.sql.SQL("set role {}").format(psycopg.sql.Identifier(self._role)))
        return connection


class Database:
    """All sessions of one process. `url` is that of onefold_api, `writer_url` that of onefold_api_writer."""

    def __init__(self, url: str, writer_url: str, most: int = 8) -> None:
        self.url = url
        self.writer_url = writer_url
        self.public = Sessions(url, most, _READS)
        self.people = Sessions(url, most, _READS, API_PEOPLE)
        self.writer = Sessions(writer_url, 4, _WRITES)
        self.quick_writer = Sessions(writer_url, 3, f"{_WRITES} -c synchronous_commit=off")
        """For allowances and requests without personal data: their commits do not wait for the disk, and a crash of
        the server may lose the last of them, of half a second at most."""

    def reader(self, *, people: bool) -> Sessions:
        """The sessions for a client that may see personal data, or may not."""
        return self.people if people else self.public

    async def close(self) -> None:
        """End every session that is free."""
        for sessions in (self.public, self.people, self.writer, self.quick_writer):
            await sessions.close()
