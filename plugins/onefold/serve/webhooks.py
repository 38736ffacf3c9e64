"""Posts changes to webhooks: signed (Standard Webhooks), tried again for three days, in the order of their turn.

Source: Standard Webhooks 1.0, "Deliverability and reliability".
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import urlsplit

import urllib3

from onefold.serve.database import Database, Row
from onefold.serve.json_text import encode
from onefold.serve.outbound_address import public_ip
from onefold.serve.signing import Signing

log = logging.getLogger(__name__)
PAUSES = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000)
"""Seconds before each further attempt; after the last one a change is told no more (the feed has it)."""
SECONDS = 10.0
TOGETHER = 16
_TAKE = """
with due as (
    select e.webhook_id, e.change_id from ops.api_webhook_event as e
    where e.delivered_at is null and e.next_at <= now() and e.attempts <= %(most)s
    order by e.next_at limit %(together)s for update skip locked
)
update ops.api_webhook_event as e set attempts = e.attempts + 1, next_at = now() + %(held)s * interval '1 second'
from due, ops.api_webhook as h, ops.api_change as c
where e.webhook_id = due.webhook_id and e.change_id = due.change_id
    and h.webhook_id = e.webhook_id and c.change_id = e.change_id
returning e.webhook_id, h.url, e.attempts, c.change_id, c.company_id, c.kind, c.attributes, c.at"""
_TOLD = (
    "update ops.api_webhook_event set delivered_at = now(), last_answer = %s where webhook_id = %s and change_id = %s"
)
_FAILED = (
    "update ops.api_webhook_event set last_answer = %s, next_at = now() + %s * interval '1 second'"
    " where webhook_id = %s and change_id = %s"
)


class Post(Protocol):
    """Posts a body and gives the status. Raises OSError or urllib3's HTTPError where there is none."""

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> int: ...


async def tell_changes(database: Database, signing: Signing, post: Post, clock: Callable[[], float] = time.time) -> int:
    """Post what is due; how many were taken. An attempt that ends with its process is made again a minute later."""
    values = {"most": len(PAUSES), "together": TOGETHER, "held": 60}
    taken = await database.writer.fetch(_TAKE, values)
    await asyncio.gather(*(_tell(database, signing, post, each, int(clock())) for each in taken))
    return len(taken)


async def _tell(database: Database, signing: Signing, post: Post, event: Row, now: int) -> None:
    body = encode(
        {
            "type": f"company.{event['kind']}",
            "timestamp": event["at"],
            "data": {
                "change_id": event["change_id"],
                "company_id": event["company_id"],
                "attributes": event["attributes"],
            },
        }
    )
    named = (event["webhook_id"], event["change_id"])
    message = f"msg_{event['change_id']}_{event['webhook_id'].hex}"
    headers = {"Content-Type": "application/json"} | signing.headers(event["webhook_id"], message, now, body)
    try:
        said = str(await asyncio.to_thread(post, event["url"], headers, body))
    except (OSError, urllib3.exceptions.HTTPError) as error:
        said = type(error).__name__
    if said.startswith("2"):
        await database.writer.fetch(_TOLD, (said, *named))
    elif said == "410":  # the receiver is gone for good
        await database.writer.fetch("update ops.api_webhook set disabled_at = now() where webhook_id = %s", named[:1])
        await database.writer.fetch(_TOLD, (said, *named))
    else:
        pause = PAUSES[min(event["attempts"], len(PAUSES)) - 1]
        log.warning("A webhook of the register API was not told: %s; the next attempt in %d s", said, pause)
        await database.writer.fetch(_FAILED, (said, pause, *named))


def post_publicly(url: str, headers: Mapping[str, str], body: bytes) -> int:
    """Post to the public address that the host's name has now, with its certificate; redirects are not followed.

    Raises OSError where the name has an address that is not public.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    address = public_ip(host, port)
    if address is None:
        raise OSError("the host has an address that is not public")
    pool = urllib3.HTTPSConnectionPool(
        address, port, timeout=SECONDS, retries=False, server_hostname=host, assert_hostname=host
    )
    with pool:
        path = parts.path or "/"
        target = f"{path}?{parts.query}" if parts.query else path
        response = pool.urlopen(
            "POST", target, body=body, headers={**headers, "Host": parts.netloc, "User-Agent": "onefold"},
            redirect=False, preload_content=False,
        )  # fmt: skip
        response.close()
        return int(response.status)
