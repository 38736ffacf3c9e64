"""Stand-in of the Polish court register's open interface (KRS): extracts and the daily bulletin.

What it does not hold is answered with a problem body and 404; the real one sometimes sends that body with
200, and so does this one for numbers that end in 7, or for all when SANDBOX_KRS_NOT_FOUND_200 is "1".
"""

import hashlib
import os
import re
from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.krs.extract import Tree, current_extract, full_extract
from sandbox.stand_in import StandIn
from sandbox.world import SourceRecord, World

Extract = Callable[[SourceRecord, datetime], Tree]

_PROBLEMS = {
    400: ("https://tools.ietf.org/html/rfc7231#section-6.5.1", "Bad Request"),
    404: ("https://tools.ietf.org/html/rfc7231#section-6.5.4", "Not Found"),
}


def routes(world: World) -> list[Route]:
    """The register's addresses, below /krs. Its server does not mind the case of "krs"; both are known."""

    async def current(request: Request) -> Response:
        return _extract(world, request, current_extract, keeps_struck_off=False)

    async def full(request: Request) -> Response:
        return _extract(world, request, full_extract, keeps_struck_off=True)

    async def bulletin(request: Request) -> Response:
        return _bulletin(world, request)

    return [
        Route(f"/api/{krs}/{name}", endpoint)
        for krs in ("krs", "Krs")
        for name, endpoint in (
            ("OdpisAktualny/{number}", current),
            ("OdpisPelny/{number}", full),
            ("Biuletyn/{day}", bulletin),
        )
    ]


def _extract(world: World, request: Request, extract: Extract, *, keeps_struck_off: bool) -> Response:
    number = request.path_params["number"]
    register = request.query_params.get("rejestr", "P").upper()
    if not re.fullmatch(r"[0-9]{10}", number) or register not in ("P", "S"):
        return _problem(request, 400)
    record = world.record("krs", number)
    if record is None or record.company.krs_register != register:
        return _problem(request, 200 if _as_found(number) else 404)
    if record.company.struck_off and not keeps_struck_off:
        return Response(status_code=204)
    return JSONResponse(extract(record, world.now()))


def _bulletin(world: World, request: Request) -> Response:
    """The numbers that changed on that day; godzinaOd and godzinaDo are hours, both included."""
    try:
        day = datetime.strptime(request.path_params["day"], "%Y-%m-%d").date()
        first = int(request.query_params.get("godzinaOd", "0"))
        last = int(request.query_params.get("godzinaDo", "23"))
    except ValueError:
        return _problem(request, 400)
    return JSONResponse([krs for krs, hour in world.krs_changes(day) if first <= hour <= last])


def _as_found(number: str) -> bool:
    return number.endswith("7") or os.environ.get("SANDBOX_KRS_NOT_FOUND_200") == "1"


def _problem(request: Request, status: int) -> JSONResponse:
    """RFC 7807 as ASP.NET Core writes it. With 200 the body is still the one of "not found"."""
    type_, title = _PROBLEMS.get(status, _PROBLEMS[404])
    trace = hashlib.sha256(str(request.url).encode()).hexdigest()
    body = {
        "type": type_,
        "title": title,
        "status": 404 if status == 200 else status,
        "traceId": f"00-{trace[:32]}-{trace[32:48]}-00",
    }
    return JSONResponse(body, status, media_type="application/problem+json; charset=utf-8")


STAND_IN = StandIn("krs", routes)
