"""Cost: what each integration has cost in a month, for what, and which part of its budget that is."""

from __future__ import annotations

from datetime import UTC, date, datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from onefold.console.reading import reading
from onefold.console.render import page
from onefold.errors import Fatal
from onefold.insight.costs import bill, months

router = APIRouter()


@router.get("/cost")
def cost_page(request: Request, month: str | None = None, system: str | None = None) -> HTMLResponse:
    """One month of all systems, or of one with its streams; default: the newest. Raises Fatal for no month."""
    try:
        chosen = date.fromisoformat(f"{month}-01") if month else None
    except ValueError:
        raise Fatal(f"{month!r} is not a month. Write one as 2026-11.") from None
    with reading() as connection:
        there = months(connection)
        found = bill(connection, chosen or next(iter(there), datetime.now(UTC).date().replace(day=1)), system or None)
    return page(
        request,
        request.state.viewer,
        "cost.html",
        bill=found,
        months=there,
        system=system or None,
    )
