"""Endpoints: the watch list, the feed of changes, and webhooks that are told of them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from psycopg.types.json import Jsonb
from starlette.responses import Response

from onefold.serve.client_models import Changes, Watches, WatchIn, WebhookIn, Webhooks
from onefold.serve.client_models import Watch as WatchOut
from onefold.serve.client_models import Webhook as WebhookOut
from onefold.serve.outbound_address import is_public_address
from onefold.serve.problem import Problem
from onefold.serve.services import Asking, ForWatch, problems
from onefold.serve.strict_route import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["Watch list"])
MOST_WATCHES, MOST_WEBHOOKS = 10_000, 10
_WATCHED = "select watch_id, company_id, created_at from ops.api_watch where client = %s"
_WATCH = (
    "insert into ops.api_watch (client, company_id) select %(client)s, company_id from ops.api_company"
    " where tax_id_pl = %(nip)s and (select count(*) from ops.api_watch where client = %(client)s) < %(most)s limit 1"
    " on conflict (client, company_id) do update set client = excluded.client"
    " returning watch_id, company_id, created_at"
)
_CHANGES = (
    "select c.change_id, c.company_id, c.kind, c.attributes, c.at from ops.api_change as c"
    " join ops.api_watch as w on w.company_id = c.company_id and w.client = %s"
    " where c.change_id > %s and c.at >= w.created_at order by c.change_id limit %s"
)
_WEBHOOKS = "select webhook_id, url, created_at from ops.api_webhook where client = %s and disabled_at is null"
_MAKE_WEBHOOK = (
    "insert into ops.api_webhook (client, url) select %(client)s, %(url)s"
    " where (select count(*) from ops.api_webhook where client = %(client)s and disabled_at is null) < %(most)s"
    " returning webhook_id, url, created_at"
)
_TELL = "select ops.tell_of_api(%s, %s, %s, %s)"


@router.get("/watches", name="watches", response_model=Watches, responses=problems())
async def watches(asking: ForWatch) -> Response:
    """The companies that the client watches."""
    rows = await asking.services.database.public.fetch(_WATCHED + " order by created_at", (asking.client.name,))
    return asking.answer({"items": rows})


@router.post("/watches", name="watch", response_model=WatchOut, status_code=201, responses=problems(404, 409))
async def watch(wanted: WatchIn, asking: ForWatch) -> Response:
    """Watch a published company: what changes of it from now on is in the feed, and posted to the client's webhooks."""
    values = {"client": asking.client.name, "nip": wanted.nip, "most": MOST_WATCHES}
    rows = await asking.services.database.writer.fetch(_WATCH, values)
    if not rows:
        known = await asking.services.database.public.fetch(
            "select 1 from ops.api_company where tax_id_pl = %s limit 1", (wanted.nip,)
        )
        if known:
            raise Problem(409, "conflict", f"The client watches {MOST_WATCHES:,} companies already. Delete some first.")
        raise Problem(404, "not-found", "Only published companies can be watched; this one is not among them.")
    await _tell(asking, "api.watch", f"watch:{rows[0]['watch_id']}", {})
    return asking.answer(rows[0], 201)


@router.delete("/watches/{watch_id}", name="unwatch", status_code=204, response_class=Response, responses=problems(404))
async def unwatch(watch_id: UUID, asking: ForWatch) -> Response:
    """Watch the company no more."""
    query = "delete from ops.api_watch where client = %s and watch_id = %s returning watch_id"
    if not await asking.services.database.writer.fetch(query, (asking.client.name, watch_id)):
        raise Problem(404, "not-found", "The client has no such watch.")
    await _tell(asking, "api.unwatch", f"watch:{watch_id}", {})
    return Response(status_code=204)


@router.get("/changes", name="changes", response_model=Changes, responses=problems())
async def changes(
    asking: ForWatch,
    after: Annotated[int, Query(ge=0, le=2**53, description="`next` of the page before; 0: from the start")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """What changed in watched companies, the oldest first: names of attributes, no values."""
    rows = await asking.services.database.public.fetch(_CHANGES, (asking.client.name, after, limit))
    return asking.answer({"items": rows, "next": rows[-1]["change_id"] if rows else after})


@router.get("/webhooks", name="webhooks", response_model=Webhooks, responses=problems())
async def webhooks(asking: ForWatch) -> Response:
    """Where the client is told of changes."""
    rows = await asking.services.database.writer.fetch(_WEBHOOKS + " order by created_at", (asking.client.name,))
    return asking.answer({"items": [each | {"secret": None} for each in rows]})


@router.post("/webhooks", name="make_webhook", response_model=WebhookOut, status_code=201, responses=problems(409))
async def make_webhook(wanted: WebhookIn, asking: ForWatch) -> Response:
    """Have changes posted to an https address, signed as Standard Webhooks says; the secret is shown here only."""
    signing = asking.services.signing
    if signing is None:
        raise Problem(503, "not-set-up", "Webhooks need ONEFOLD_API_SIGNING_KEY, which the operator has not set.")
    if not is_public_address(wanted.url):
        raise Problem(409, "conflict", "The address must be https, of a public host, without login or fragment.")
    values = {"client": asking.client.name, "url": wanted.url, "most": MOST_WEBHOOKS}
    rows = await asking.services.database.writer.fetch(_MAKE_WEBHOOK, values)
    if not rows:
        raise Problem(409, "conflict", f"The client has {MOST_WEBHOOKS} webhooks already. Delete one first.")
    webhook_id = rows[0]["webhook_id"]
    await _tell(asking, "api.webhook", f"webhook:{webhook_id}", {})
    return asking.answer(rows[0] | {"secret": signing.secret_of(webhook_id)}, 201)


@router.delete(
    "/webhooks/{webhook_id}", name="delete_webhook", status_code=204, response_class=Response, responses=problems(404)
)
async def delete_webhook(webhook_id: UUID, asking: ForWatch) -> Response:
    """Post nothing more there."""
    query = "delete from ops.api_webhook where client = %s and webhook_id = %s returning webhook_id"
    if not await asking.services.database.writer.fetch(query, (asking.client.name, webhook_id)):
        raise Problem(404, "not-found", "The client has no such webhook.")
    await _tell(asking, "api.webhook_delete", f"webhook:{webhook_id}", {})
    return Response(status_code=204)


async def _tell(asking: Asking, action: str, subject: str, payload: dict[str, Any]) -> None:
    await asking.services.database.writer.fetch(_TELL, (f"api:{asking.client.name}", action, subject, Jsonb(payload)))
