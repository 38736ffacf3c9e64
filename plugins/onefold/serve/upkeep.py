"""What the service does besides answering: it follows what is published, and chains what it was asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import LiteralString

import psycopg

from onefold.serve.attributes import EntityRules
from onefold.serve.database import Database

log = logging.getLogger(__name__)
CHAIN_EVERY = 1.0
FOLLOW_EVERY = 5.0
WORK_EVERY = 1.0
TELL_EVERY = 2.0
FORGET_EVERY = 3600.0
_REFRESH = "select ops.refresh_api_companies(%s::text[], %s::text[]) as changed"
_FORGET: tuple[LiteralString, ...] = (
    "delete from ops.api_check where created_at < now() - interval '30 days'",
    "delete from ops.api_answer where answered_at < now() - interval '90 days'",
    "delete from ops.api_webhook_event where coalesce(delivered_at, next_at) < now() - interval '30 days'",
)
_CHAIN = "select ops.chain_api_requests() as chained"


async def follow_publishes(database: Database, rules: EntityRules) -> int:
    """Bring what is answered from to what is published now; how many companies changed."""
    (row,) = await database.writer.fetch(_REFRESH, (rules.always_personal, rules.personal_of_persons))
    changed: int = row["changed"]
    return changed


async def chain_requests(database: Database) -> int:
    """Put the requests that are not yet there into the audit chain; how many."""
    (row,) = await database.quick_writer.fetch(_CHAIN)
    chained: int = row["chained"]
    return chained


async def forget_old(database: Database) -> None:
    """Delete what is kept no longer: results of checks, what registers answered, what webhooks were told."""
    for statement in _FORGET:
        await database.writer.fetch(statement)


async def repeat(seconds: float, what: Callable[[], Awaitable[object]]) -> None:
    """Do it every so many seconds until this is cancelled; what the warehouse refuses is tried again."""
    while True:
        try:
            await what()
        except (psycopg.Error, TimeoutError) as error:
            log.warning("The upkeep of the register API waits for the warehouse: %s", type(error).__name__)
        await asyncio.sleep(seconds)
