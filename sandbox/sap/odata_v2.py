"""SAP S/4HANA's OData v2 services: Basic sign-in, verbose JSON, server paging.

Wire: OData 2.0 in verbose JSON as SAP Gateway writes it, and the public EDMX of the services. A $skiptoken
names the world's state and the offset, so that paging goes on after a crash of the client or of this process.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.sap.entities import Shape
from sandbox.sap.model import Row, Service, metadata
from sandbox.sap.odata import ODataError
from sandbox.sap.orders import BOOKS, SALES_ORDER
from sandbox.sap.partner import BUSINESS_PARTNER
from sandbox.sap.rows import Rows, number, paths
from sandbox.sap.writes import WritingDoor
from sandbox.stand_in import StandIn
from sandbox.world import World

USER, PASSWORD = "ONEFOLD", "sandbox-secret"
SERVICES = (BUSINESS_PARTNER, SALES_ORDER)
OPTIONS = (
    "$filter",
    "$select",
    "$expand",
    "$orderby",
    "$top",
    "$skip",
    "$skiptoken",
    "$inlinecount",
    "$format",
)


class Sap:
    """One service: one entity set after another out of the world."""

    def __init__(self, world: World, service: Service) -> None:
        self._world = world
        self._service = service
        self._rows = Rows(world, service, version=2)
        self._page_size = int(os.environ.get("SANDBOX_SAP_PAGE", "500"))
        self._door = WritingDoor(world, service, self._guarded, self._shown, _error)

    async def root(self, request: Request) -> Response:
        sets = list(self._service.served)
        return self._door.session(request, self._guarded(request, lambda: as_json({"d": {"EntitySets": sets}})))

    def routes(self, base: str) -> list[Route]:
        """The routes below this path."""
        return [
            Route(f"{base}/", self.root),
            Route(f"{base}/$metadata", self.metadata),
            *self._door.routes(base),
            Route(f"{base}/{{entity_set}}('{{key}}')", self.entity),
            Route(f"{base}/{{entity_set}}", self.collection),
        ]

    def _guarded(self, request: Request, answer: Callable[[], Response]) -> Response:
        return signed_in(request, answer, _refused, _VERSION)

    def _shown(self, request: Request, entity_set: str, row: Row) -> dict[str, object]:
        return {"d": self._shape(request, entity_set).shown(row, entity_set, row.entity)}

    async def metadata(self, request: Request) -> Response:
        document = metadata(self._service, self._url(request))
        return signed_in(request, lambda: Response(document, media_type="application/xml"), _refused, _VERSION)

    async def collection(self, request: Request) -> Response:
        answer = signed_in(request, lambda: self._list(request, request.path_params["entity_set"]), _refused, _VERSION)
        return self._door.session(request, answer)

    async def entity(self, request: Request) -> Response:
        return signed_in(request, lambda: self._one(request, request.path_params["entity_set"]), _refused, _VERSION)

    def _list(self, request: Request, entity_set: str) -> Response:
        if entity_set not in self._service.served:
            return _error(404, "/IWFND/CM_MGW/096", f"Resource not found for the segment '{entity_set}'")
        params = request.query_params
        shape = self._shape(request, entity_set)
        top, skip = number(params, "$top"), number(params, "$skip") or 0
        sequence, offset = self._rows.standing(params.get("$skiptoken"))
        rows = self._rows.by(entity_set, params, sequence)
        chosen = rows[skip:] if top is None else rows[skip : skip + top]
        end = offset + self._page_size
        answer: dict[str, object] = {
            "results": [shape.shown(row, entity_set, row.entity) for row in chosen[offset:end]]
        }
        if params.get("$inlinecount") == "allpages":
            answer["__count"] = str(len(rows))
        if end < len(chosen):
            onward = [(name, value) for name, value in params.multi_items() if name != "$skiptoken"]
            query = urlencode([*onward, ("$skiptoken", f"{sequence}-{end}")], safe="$,/'", quote_via=quote)
            answer["__next"] = f"{self._url(request)}/{entity_set}?{query}"
        return as_json({"d": answer})

    def _one(self, request: Request, entity_set: str) -> Response:
        if entity_set not in self._service.served:
            return _error(404, "/IWFND/CM_MGW/096", f"Resource not found for the segment '{entity_set}'")
        shape = self._shape(request, entity_set)
        kind = self._service.sets[entity_set]
        for row in self._service.served[entity_set](self._world, self._world.sequence):
            if row.get(kind.keys[0]) == request.path_params["key"]:
                return as_json({"d": shape.shown(row, entity_set, row.entity)})
        return _error(404, "/IWBEP/CM_MGW_RT/020", f"Resource not found for segment '{kind.name}'")

    def _shape(self, request: Request, entity_set: str) -> Shape:
        params = request.query_params
        if unknown := [name for name in params if name.startswith("$") and name not in OPTIONS]:
            raise ODataError(f"Invalid system query option '{unknown[0]}'")
        if params.get("$format", "json") != "json" or (
            "$format" not in params and "json" not in request.headers.get("accept", "")
        ):
            raise ODataError("The sandbox serves JSON only: ask with $format=json or Accept: application/json")
        return Shape(
            self._service,
            self._url(request),
            paths(self._service, params.get("$select", ""), entity_set, navigations_only=False),
            paths(self._service, params.get("$expand", ""), entity_set, navigations_only=True),
        )

    def _url(self, request: Request) -> str:
        return f"{request.url.scheme}://{request.url.netloc}{self._service.path}"


_VERSION = {"DataServiceVersion": "2.0"}


def signed_in(
    request: Request,
    answer: Callable[[], Response],
    refused: Callable[[ODataError], Response],
    headers: dict[str, str],
) -> Response:
    """The answer with these headers, for whoever knows the password; `refused` makes one of a request that is wrong."""
    expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic" or given != expected:
        return Response(
            "<html><head><title>Logon failed</title></head><body></body></html>",
            status_code=401,
            media_type="text/html",
            headers={"WWW-Authenticate": 'Basic realm="SAP NetWeaver Application Server"'},
        )
    try:
        response = answer()
    except ODataError as error:
        response = refused(error)
    response.headers.update(headers)
    return response


def as_json(document: dict[str, object]) -> Response:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Response(text, media_type="application/json")


def _refused(error: ODataError) -> Response:
    return _error(400, "/IWBEP/CM_MGW_RT/021", str(error))


def _error(status: int, code: str, message: str) -> Response:
    answer = as_json({"error": {"code": code, "message": {"lang": "en", "value": message}}})
    answer.status_code = status
    return answer


def routes(world: World) -> list[Route]:
    """The routes below /sap."""
    found: list[Route] = []
    for each in SERVICES:
        found += Sap(world, each).routes(each.path.removeprefix("/sap"))
    return found


STAND_IN = StandIn("sap", routes, sign_in=(USER, PASSWORD), books=BOOKS)
