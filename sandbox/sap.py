"""SAP S/4HANA's API_BUSINESS_PARTNER: OData v2 with Basic sign-in and server paging.

Wire: OData 2.0 in verbose JSON as SAP Gateway writes it, and the public EDMX of the service. A $skiptoken
names the world's state and the offset, so that paging goes on after a crash of the client or of this process.
"""

import base64
import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote, urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.odata import ODataError, Value, ordering, predicate
from sandbox.sap_entities import Row, Shape
from sandbox.sap_model import ENTITY_SETS, SERVED, metadata
from sandbox.stand_in import StandIn
from sandbox.world import World

USER, PASSWORD = "ONEFOLD", "sandbox-secret"
SERVICE = "/sap/opu/odata/sap/API_BUSINESS_PARTNER"
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


def _paths(text: str, entity_set: str, *, navigations_only: bool) -> frozenset[str]:
    """The paths in a $select or $expand. Raises ODataError for one that the entity type does not have."""
    paths = frozenset(part.strip() for part in text.split(",") if part.strip())
    for path in paths:
        kind = ENTITY_SETS[entity_set]
        steps = path.split("/")
        for place, step in enumerate(steps):
            target = dict(kind.navigations).get(step)
            is_property = step in kind.by_name and place == len(steps) - 1 and not navigations_only
            if target is None and not is_property and step != "*":
                raise ODataError(f"Resource not found for segment '{step}'")
            kind = ENTITY_SETS[target] if target else kind
    return paths if "*" not in paths else frozenset()


def _number(params: QueryParams, name: str) -> int | None:
    text = params.get(name)
    if text is None:
        return None
    if not text.isdigit():
        raise ODataError(f"Invalid value '{text}' for {name}")
    return int(text)


class Sap:
    """The service: one entity set after another out of the world's business partners."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._page_size = int(os.environ.get("SANDBOX_SAP_PAGE", "500"))
        self._found: dict[tuple[str, str, str, int, int], list[Row]] = {}

    async def metadata(self, request: Request) -> Response:
        return self._signed_in(request, lambda: Response(metadata(_service_url(request)), media_type="application/xml"))

    async def collection(self, request: Request) -> Response:
        entity_set = request.path_params["entity_set"]
        return self._signed_in(request, lambda: self._list(request, entity_set))

    async def entity(self, request: Request) -> Response:
        return self._signed_in(request, lambda: self._one(request))

    def _signed_in(self, request: Request, answer: Callable[[], Response]) -> Response:
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
            response = _error(400, "/IWBEP/CM_MGW_RT/021", str(error))
        response.headers["DataServiceVersion"] = "2.0"
        return response

    def _list(self, request: Request, entity_set: str) -> Response:
        if entity_set not in SERVED:
            return _error(404, "/IWFND/CM_MGW/096", f"Resource not found for the segment '{entity_set}'")
        params = request.query_params
        shape = _shape(request, entity_set)
        top, skip = _number(params, "$top"), _number(params, "$skip") or 0
        sequence, offset = self._standing(params.get("$skiptoken"))
        rows = self._rows(entity_set, params.get("$filter", ""), params.get("$orderby", ""), sequence)
        chosen = rows[skip:] if top is None else rows[skip : skip + top]
        end = offset + self._page_size
        spelled = Row.partner if entity_set == "A_BusinessPartner" else Row.address
        answer: dict[str, object] = {
            "results": [shape.shown(row, entity_set, spelled(row)) for row in chosen[offset:end]]
        }
        if params.get("$inlinecount") == "allpages":
            answer["__count"] = str(len(rows))
        if end < len(chosen):
            onward = [(name, value) for name, value in params.multi_items() if name != "$skiptoken"]
            query = urlencode([*onward, ("$skiptoken", f"{sequence}-{end}")], safe="$,/'", quote_via=quote)
            answer["__next"] = f"{_service_url(request)}/{entity_set}?{query}"
        return _json({"d": answer})

    def _one(self, request: Request) -> Response:
        shape = _shape(request, "A_BusinessPartner")
        record = self._world.record("sap", request.path_params["key"])
        if record is None:
            return _error(404, "/IWBEP/CM_MGW_RT/020", "Resource not found for segment 'A_BusinessPartnerType'")
        row = Row(record, record.modified, record.deleted)
        return _json({"d": shape.shown(row, "A_BusinessPartner", row.partner())})

    def _standing(self, skiptoken: str | None) -> tuple[int, int]:
        """The (world state, offset) that the token names; the present state and 0 without one."""
        if skiptoken is None:
            return self._world.sequence, 0
        sequence, _, offset = skiptoken.partition("-")
        if not (sequence.isdigit() and offset.isdigit()) or int(sequence) > self._world.sequence:
            raise ODataError(f"Invalid skiptoken '{skiptoken}'")
        return int(sequence), int(offset)

    def _rows(self, entity_set: str, filtered: str, ordered: str, sequence: int) -> list[Row]:
        """All rows that the query finds, remembered for the pages that follow."""
        key = (entity_set, filtered, ordered, sequence, self._world.epoch)
        if key not in self._found:
            if len(self._found) >= 4:
                self._found.pop(next(iter(self._found)))
            self._found[key] = _select(self._world, entity_set, filtered, ordered, sequence)
        return self._found[key]


def _select(world: World, entity_set: str, filtered: str, ordered: str, sequence: int) -> list[Row]:
    kind = ENTITY_SETS[entity_set]
    passes = predicate(filtered, kind) if filtered else None
    orders = ordering(ordered, kind) if ordered else []

    def value(row: Row, name: str) -> Value:
        return row.get(name) if entity_set == "A_BusinessPartner" else row.address()[name]

    def ranking(name: str) -> Callable[[Row], str | float]:
        return lambda row: _sortable(value(row, name))

    states = ((record, record.state_at(sequence)) for record in world.records("sap"))
    rows = [Row(record, *state) for record, state in states if state is not None]
    if passes:
        rows = [row for row in rows if passes(partial(value, row))]
    for name, descending in reversed([*orders, (kind.keys[0], False)]):
        rows.sort(key=ranking(name), reverse=descending)
    return rows


def _sortable(value: Value) -> str | float:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return float(value) if isinstance(value, bool) else value


def _shape(request: Request, entity_set: str) -> Shape:
    params = request.query_params
    if unknown := [name for name in params if name.startswith("$") and name not in OPTIONS]:
        raise ODataError(f"Invalid system query option '{unknown[0]}'")
    if params.get("$format", "json") != "json" or (
        "$format" not in params and "json" not in request.headers.get("accept", "")
    ):
        raise ODataError("The sandbox serves JSON only: ask with $format=json or Accept: application/json")
    return Shape(
        _service_url(request),
        _paths(params.get("$select", ""), entity_set, navigations_only=False),
        _paths(params.get("$expand", ""), entity_set, navigations_only=True),
    )


def _service_url(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}{SERVICE}"


def _json(document: dict[str, object]) -> Response:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Response(text, media_type="application/json")


def _error(status: int, code: str, message: str) -> Response:
    answer = _json({"error": {"code": code, "message": {"lang": "en", "value": message}}})
    answer.status_code = status
    return answer


def routes(world: World) -> list[Route]:
    """The routes below /sap."""
    service = Sap(world)
    base = SERVICE.removeprefix("/sap")
    return [
        Route(f"{base}/$metadata", service.metadata),
        Route(f"{base}/A_BusinessPartner('{{key}}')", service.entity),
        Route(f"{base}/{{entity_set}}", service.collection),
    ]


STAND_IN = StandIn("sap", routes, sign_in=("ONEFOLD", "sandbox-secret"))
