"""SAP S/4HANA's product API in OData v4 (API_PRODUCT, service definition SRVD_A2X, version 0002).

Wire: OData 4.01 JSON with minimal metadata as SAP Gateway writes it: entity tags, a next link relative to the service,
timestamps with seven fractional digits and Z, numbers as numbers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.sap.model import Entity, EntityType, Property, Row, Service, Value, text
from sandbox.sap.odata import ODataError
from sandbox.sap.odata_v2 import PASSWORD, USER, as_json, signed_in
from sandbox.sap.orders import UNITS
from sandbox.sap.rows import Rows, number, paths
from sandbox.sap.writes import WritingDoor
from sandbox.sap.written import Stamps, empty, written_row
from sandbox.stand_in import StandIn
from sandbox.world import Book, Entry, World
from sandbox.world.business import product, products

OPTIONS = ("$filter", "$select", "$expand", "$orderby", "$top", "$skip", "$skiptoken", "$count", "$format")
PRODUCT = EntityType(
    "Product_Type",
    ("Product",),
    (
        text("Product", 40),
        text("ProductType", 4),
        text("ProductGroup", 9),
        text("ProductOldID", 40),
        text("BaseUnit", 3),
        text("ProductStandardID", 18),
        Property("NetWeight", "Edm.Decimal"),
        text("WeightUnit", 3),
        text("CrossPlantStatus", 2),
        Property("IsMarkedForDeletion", "Edm.Boolean"),
        Property("CreationDate", "Edm.Date"),
        text("CreatedByUser", 12),
        Property("LastChangeDateTime", "Edm.DateTimeOffset"),
        text("LastChangedByUser", 12),
    ),
    (("_ProductDescription", "ProductDescription"),),
)
DESCRIPTION = EntityType(
    "ProductDescription_Type",
    ("Product", "Language"),
    (text("Product", 40), text("Language", 2), text("ProductDescription", 40)),
)
PRODUCTS = Book(
    "sap_v4",
    "product",
    size=products,
    key=lambda number: f"JR-{number + 1000:05d}",
    broken=("unit_unknown", "ean_letters"),
)


SETS = {"Product": PRODUCT, "ProductDescription": DESCRIPTION}
WRITTEN = "sap_v4.Product"
STAMPS = Stamps(("LastChangeDateTime",), ("LastChangeDateTime",))
EMPTY: Entity = empty(PRODUCT) | {"NetWeight": Decimal(0), "CreatedByUser": "ONEFOLD"}


def _products(world: World, sequence: int) -> Iterator[Row]:
    written = world.written.rows(WRITTEN)
    for row in _own_products(world, sequence):
        over = written.get(str(row.get("Product")))
        yield written_row(SETS, "Product", over, row.entity, row.related, STAMPS) if over else row
    for new in written.values():
        if not new.base:
            yield written_row(SETS, "Product", new, EMPTY, lambda _: [], STAMPS)


def _own_products(world: World, sequence: int) -> Iterator[Row]:
    for entry in world.shelf(PRODUCTS.name).entries:
        if (state := entry.at(sequence)) is not None:
            modified, deleted, revision = state
            yield Row(
                {"Product": str(entry.key), "LastChangeDateTime": modified, "IsMarkedForDeletion": deleted},
                lambda of=entry, at=modified, gone=deleted, revision=revision: _product(world, of, at, gone, revision),
                lambda navigation, of=entry, revision=revision: _descriptions(world, of, revision),
                f'W/"SADL-02{modified:%Y%m%d%H%M%S}C~{modified:%Y%m%d%H%M%S}"',
            )


def _product(world: World, entry: Entry, modified: datetime, deleted: bool, revision: int) -> Entity:
    goods = product(world.seed, entry.number, revision)
    return {
        "Product": goods.sku,
        "ProductType": "HAWA",
        "ProductGroup": "L001",
        "ProductOldID": "",
        "BaseUnit": "" if entry.broken == "unit_unknown" else UNITS[goods.unit],
        "ProductStandardID": "BRAK" if entry.broken == "ean_letters" else goods.ean,
        "NetWeight": Decimal(entry.number % 90 + 10) / 8 + revision,
        "WeightUnit": "KG",
        "CrossPlantStatus": "" if goods.active else "01",
        "IsMarkedForDeletion": deleted,
        "CreationDate": entry.created.date().isoformat(),
        "CreatedByUser": "MIGRACJA",
        "LastChangeDateTime": modified,
        "LastChangedByUser": "MAGAZYN",
    }


def _descriptions(world: World, entry: Entry, revision: int) -> list[Entity]:
    goods = product(world.seed, entry.number, revision)
    english = f"Article {goods.number + 1000}"
    return [
        {"Product": goods.sku, "Language": language, "ProductDescription": name[:40]}
        for language, name in (("PL", goods.name), ("EN", english))
    ]


SERVICE = Service(
    "/sap/opu/odata4/sap/api_product/srvd_a2x/sap/product/0002",
    "com.sap.gateway.srvd_a2x.api_product.v0002",
    SETS,
    {"Product": _products},
    written={"Product": WRITTEN},
)


class SapV4:
    """The service: products out of the world."""

    def __init__(self, world: World) -> None:
        self._rows = Rows(world, SERVICE, version=4)
        self._page_size = int(os.environ.get("SANDBOX_SAP_PAGE", "500"))
        self._door = WritingDoor(world, SERVICE, self._guarded, self._written, _error)

    def routes(self, base: str) -> list[Route]:
        return [
            Route(f"{base}/", self.root),
            Route(f"{base}/Product", self.collection),
            *self._door.routes(base),
        ]

    async def root(self, request: Request) -> Response:
        sets = [{"name": "Product", "url": "Product"}]
        return self._door.session(request, self._guarded(request, lambda: as_json({"value": sets})))

    async def collection(self, request: Request) -> Response:
        return self._door.session(request, self._guarded(request, lambda: self._list(request)))

    def _guarded(self, request: Request, answer: Callable[[], Response]) -> Response:
        return signed_in(request, answer, _refused, {"OData-Version": "4.0"})

    def _written(self, request: Request, entity_set: str, row: Row) -> dict[str, object]:
        return _shown(row, frozenset(), frozenset())

    def _list(self, request: Request) -> Response:
        params = request.query_params
        if unknown := [name for name in params if name.startswith("$") and name not in OPTIONS]:
            raise ODataError(f"The system query option '{unknown[0]}' is not supported")
        select = paths(SERVICE, params.get("$select", ""), "Product", navigations_only=False)
        expand = paths(SERVICE, params.get("$expand", ""), "Product", navigations_only=True)
        top, skip = number(params, "$top"), number(params, "$skip") or 0
        sequence, offset = self._rows.standing(params.get("$skiptoken"))
        rows = self._rows.by("Product", params, sequence)
        chosen = rows[skip:] if top is None else rows[skip : skip + top]
        end = offset + self._page_size
        answer: dict[str, object] = {"@odata.context": "$metadata#Product"}
        if params.get("$count") == "true":
            answer["@odata.count"] = len(rows)
        answer["value"] = [_shown(row, select, expand) for row in chosen[offset:end]]
        if end < len(chosen):
            onward = [(name, value) for name, value in params.multi_items() if name != "$skiptoken"]
            query = urlencode([*onward, ("$skiptoken", f"{sequence}-{end}")], safe="$,/'", quote_via=quote)
            answer["@odata.nextLink"] = f"Product?{query}"
        return as_json(answer)


def _shown(row: Row, select: frozenset[str], expand: frozenset[str]) -> dict[str, object]:
    answer: dict[str, object] = {"@odata.etag": row.etag}
    answer |= {name: _wire(value) for name, value in row.entity.items() if not select or name in select}
    for navigation in sorted(expand):
        answer[navigation] = [
            {name: _wire(value) for name, value in entity.items()} for entity in row.related(navigation)
        ]
    return answer


def _wire(value: Value) -> object:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.0000000Z"
    return float(value) if isinstance(value, Decimal) else value


def _refused(error: ODataError) -> Response:
    return _error(400, "/IWBEP/CM_V4_COS/021", str(error))


def _error(status: int, code: str, message: str) -> Response:
    answer = as_json({"error": {"code": code, "message": message}})
    answer.status_code = status
    return answer


def routes(world: World) -> list[Route]:
    """The routes below /sap_v4."""
    return SapV4(world).routes(SERVICE.path)


STAND_IN = StandIn("sap_v4", routes, sign_in=(USER, PASSWORD), books=(PRODUCTS,))
