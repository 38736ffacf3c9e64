"""Lets requests in by their client's rate and quota, and records each of them before its answer leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from onefold.serve.clients import Client
from onefold.serve.database import Database, Sessions
from onefold.serve.grouped_calls import GroupedCalls
from onefold.serve.problem import Problem

_ADMIT = "select ops.admit_api_requests(%s::text[], %s::integer[], %s::bigint[]) as waits"
_RECORD = (
    "select ops.record_api_requests(%s::text[], %s::text[], %s::uuid[], %s::boolean[], %s::smallint[], %s::integer[],"
    " %s::bigint[])"
)
LONG = 60.0
"""Seconds; who has to wait longer has used up the month's quota."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One request as it is recorded: which endpoint, about which company, whether personal data was shown."""

    client: str
    endpoint: str
    company_id: UUID | None
    people: bool
    status: int
    milliseconds: int
    size: int


class Accounting:
    """Of one process; what is counted is counted in the warehouse, so that all processes keep one quota."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._admit = GroupedCalls(self._admit_all)
        self._record = GroupedCalls(partial(self._record_all, database.quick_writer))
        self._record_people = GroupedCalls(partial(self._record_all, database.writer))

    async def record(self, answered: Answered) -> None:
        """Return once the request is recorded; one that shows personal data, once that is on the disk."""
        await (self._record_people if answered.people else self._record)(answered)

    async def admit(self, client: Client) -> None:
        """Raises Problem 429, with Retry-After, for a request that is too much."""
        wait = await self._admit(client)
        if wait is None:
            return
        seconds = max(1, int(wait + 0.999))
        raise Problem(
            429,
            "too-many-requests",
            f"The client may ask {client.per_second} times a second. Ask again in {seconds} s."
            if wait < LONG
            else f"The client has used its {client.monthly_quota:,} requests of this month.",
            {"Retry-After": str(seconds)},
        )

    async def _admit_all(self, clients: Sequence[Client]) -> Sequence[float | None]:
        names = [each.name for each in clients]
        rates, quotas = [each.per_second for each in clients], [each.monthly_quota for each in clients]
        (row,) = await self._database.quick_writer.fetch(_ADMIT, (names, rates, quotas))
        waits: list[float | None] = row["waits"]
        return waits

    @staticmethod
    async def _record_all(sessions: Sessions, requests: Sequence[Answered]) -> Sequence[None]:
        columns = (
            [each.client for each in requests],
            [each.endpoint for each in requests],
            [each.company_id for each in requests],
            [each.people for each in requests],
            [each.status for each in requests],
            [each.milliseconds for each in requests],
            [each.size for each in requests],
        )
        await sessions.fetch(_RECORD, columns)
        return [None] * len(requests)
