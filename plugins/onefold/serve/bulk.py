"""Bulk checks: up to 50 numbers are answered at once, more are worked off in the background, by any process.

A check is named by its client's idempotency key: sent again it is the same check, whose results are not made anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from onefold.serve.clients import Client
from onefold.serve.companies import Companies, Company
from onefold.serve.database import Database, Row
from onefold.serve.json_text import encode
from onefold.serve.problem import Problem

log = logging.getLogger(__name__)
AT_ONCE = 50
TOGETHER = 8
"""Numbers of one check that are looked up at the same time."""
Shown = Callable[[Company], dict[str, Any]]
_COLUMNS = "check_id, client, request_hash, numbers, people, state, results"
_INSERT = (
    "insert into ops.api_check (check_id, client, idempotency_key, request_hash, numbers, people)"
    " values (%s, %s, %s, %s, %s, %s) on conflict (client, idempotency_key) do nothing returning check_id"
)
_BY_KEY = f"select {_COLUMNS} from ops.api_check where client = %s and idempotency_key = %s"  # noqa: S608 - ours
_BY_ID = f"select {_COLUMNS} from ops.api_check where client = %s and check_id = %s"  # noqa: S608 - ours
_DONE = (
    "update ops.api_check set state = 'done', results = %s, ended_at = now() where check_id = %s and state = 'queued'"
)
_NEXT = (
    "select k.check_id, k.numbers, k.people, c.client, c.scopes, c.per_second, c.monthly_quota"
    " from ops.api_check as k join ops.api_client as c using (client)"
    " where k.state = 'queued' order by k.created_at limit 1 for update of k skip locked"
)


class Checks:
    """Makes bulk checks and gives them back."""

    def __init__(self, database: Database, companies: Companies, shown: Shown) -> None:
        self._database = database
        self._companies = companies
        self._shown = shown

    async def make(self, client: Client, key: str, nips: Sequence[str]) -> Row:
        """The check with this idempotency key, new or made before. Raises Problem 409 where that was about others."""
        digest = hashlib.sha256("\n".join(nips).encode()).digest()
        values = (uuid4(), client.name, key, digest, Jsonb(list(nips)), client.sees_people)
        made = await self._database.writer.fetch(_INSERT, values)
        (row,) = await self._database.writer.fetch(_BY_KEY, (client.name, key))
        if bytes(row["request_hash"]) != digest:
            raise Problem(409, "conflict", "This Idempotency-Key was used for other numbers. Send a new one.")
        if made and len(nips) <= AT_ONCE:
            await self._work_off(row["check_id"], client, nips)
            (row,) = await self._database.writer.fetch(_BY_KEY, (client.name, key))
        return row

    async def find(self, client: Client, check_id: UUID) -> Row:
        """A check of the client. Raises Problem 404."""
        rows = await self._database.writer.fetch(_BY_ID, (client.name, check_id))
        if not rows:
            raise Problem(404, "not-found", "The client has made no such check.")
        return rows[0]

    async def work(self) -> None:
        """Work off the checks that wait, the oldest first; each by one process, which holds its row meanwhile."""
        while True:
            async with self._database.writer.session() as session, session.transaction():
                rows = await (await session.execute(_NEXT)).fetchall()
                if not rows:
                    return
                (row,) = rows
                scopes = frozenset(row["scopes"]) - (frozenset() if row["people"] else {"people"})
                client = Client(row["client"], scopes, row["per_second"], row["monthly_quota"])
                results = await self._results(client, row["numbers"])
                await session.execute(_DONE, (Jsonb(results, encode), row["check_id"]))

    async def _work_off(self, check_id: UUID, client: Client, nips: Sequence[str]) -> None:
        results = await self._results(client, nips)
        await self._database.writer.fetch(_DONE, (Jsonb(results, encode), check_id))

    async def _results(self, client: Client, nips: Sequence[str]) -> list[dict[str, Any]]:
        places = asyncio.Semaphore(TOGETHER)

        async def result(nip: str) -> dict[str, Any]:
            async with places:
                try:
                    company = await self._companies.find("nip", nip, client)
                except Problem as problem:
                    outcome = "not_found" if problem.status == 404 else "unavailable"
                    return {"nip": nip, "outcome": outcome, "company": None, "detail": problem.detail}
                return {"nip": nip, "outcome": "found", "company": self._shown(company), "detail": None}

        return list(await asyncio.gather(*map(result, nips)))
