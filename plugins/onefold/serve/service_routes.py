"""Endpoints about the service: how fresh each source is, what a client has used, and whether it works."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from onefold.serve.models import Health, Sources, UsageOut
from onefold.serve.question import FRESH_FOR
from onefold.serve.services import ForCompanies, Services, problems
from onefold.serve.strict_route import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["Service"])
public = APIRouter(route_class=StrictRoute, tags=["Service"])
REGISTERS = ("krs", "crbr", "regon", "vies", "white_list")
_SOURCES = """
select s.system as source,
    (select max(l.ended_at) from ops.load as l where l.system = s.system and l.state = 'published') as last_load,
    (select max(a.answered_at) from ops.api_answer as a where a.system = s.system) as last_answer
from unnest(%s::text[]) with ordinality as s (system, place) order by s.place"""
_USAGE = "select requests, month from ops.api_allowance where client = %s"


@router.get("/sources", name="sources", response_model=Sources, responses=problems())
async def sources(asking: ForCompanies) -> Response:
    """When each register was last loaded, and when it last answered a question of this API."""
    now = datetime.now(UTC)
    rows = await asking.services.database.public.fetch(_SOURCES, (list(REGISTERS),))
    for each in rows:
        newest = max((at for at in (each["last_load"], each["last_answer"]) if at), default=None)
        each["stale"] = newest is None or now - newest >= FRESH_FOR
    return asking.answer({"items": rows})


@router.get("/usage", name="usage", response_model=UsageOut, responses=problems())
async def usage(asking: ForCompanies) -> Response:
    """What the client has asked this month, and what it may."""
    client, month = asking.client, datetime.now(UTC).date().replace(day=1)
    rows = await asking.services.database.public.fetch(_USAGE, (client.name,))
    used = rows[0]["requests"] if rows and rows[0]["month"] == month else 0
    return asking.answer(
        {
            "client": client.name,
            "month": month,
            "requests": used,
            "monthly_quota": client.monthly_quota,
            "per_second": client.per_second,
        }
    )


@public.get("/health", name="health", response_model=Health, responses={503: {"model": Health}})
async def health(request: Request) -> Response:
    """Whether the API can answer now: 200, else 503."""
    import psycopg

    from onefold.serve.json_text import encode

    services: Services = request.app.state.services
    try:
        rows = await services.database.public.fetch("select publish_id from ops.api_shown")
    except (psycopg.Error, TimeoutError):
        status, told = 503, dict[str, Any](status="down", companies_as_of_publish=None)
    else:
        status, told = 200, {"status": "ok", "companies_as_of_publish": rows[0]["publish_id"]}
    return Response(encode(told), status, {"Cache-Control": "no-store"}, "application/json")
