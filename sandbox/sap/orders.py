"""SAP's API_SALES_ORDER_SRV (OData v2): sales orders and their items, as far as the sandbox serves them.

Names and forms follow answers of real systems that are public; an item has no change stamp of its own, and one that was
deleted is simply no longer there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

from sandbox.sap.model import Entity, EntityType, Property, Row, Service, midnight, text
from sandbox.world import Book, Entry, Parts, World
from sandbox.world.business import order, orders, own_number, product
from sandbox.world.identifiers import sap_number
from sandbox.world.parts import Part, left

STATUSES = {  # OverallSDProcessStatus, OverallTotalDeliveryStatus and OverallSDDocumentRejectionSts of each
    "new": ("A", "A", "A"),
    "confirmed": ("B", "A", "A"),
    "shipped": ("B", "C", "A"),
    "completed": ("C", "C", "A"),
    "cancelled": ("C", "A", "C"),
}
UNITS = {"szt": "ST", "m": "M", "kg": "KG", "opak": "PAK"}
ORDER = EntityType(
    "A_SalesOrderType",
    ("SalesOrder",),
    (
        text("SalesOrder", 10),
        text("SalesOrderType", 4),
        text("SalesOrganization", 4),
        text("DistributionChannel", 2),
        text("OrganizationDivision", 2),
        text("SoldToParty", 10),
        Property("CreationDate", "Edm.DateTime"),
        text("CreatedByUser", 12),
        Property("LastChangeDate", "Edm.DateTime"),
        Property("LastChangeDateTime", "Edm.DateTimeOffset"),
        text("PurchaseOrderByCustomer", 35),
        Property("SalesOrderDate", "Edm.DateTime"),
        Property("TotalNetAmount", "Edm.Decimal"),
        text("TransactionCurrency", 5),
        text("OverallSDProcessStatus", 1),
        text("OverallTotalDeliveryStatus", 1),
        text("OverallSDDocumentRejectionSts", 1),
    ),
    (("to_Item", "A_SalesOrderItem"),),
)
ITEM = EntityType(
    "A_SalesOrderItemType",
    ("SalesOrder", "SalesOrderItem"),
    (
        text("SalesOrder", 10),
        text("SalesOrderItem", 6),
        text("SalesOrderItemCategory", 4),
        text("SalesOrderItemText", 40),
        text("PurchaseOrderByCustomer", 35),
        text("Material", 40),
        Property("RequestedQuantity", "Edm.Decimal"),
        text("RequestedQuantityUnit", 3),
        text("TransactionCurrency", 5),
        Property("NetAmount", "Edm.Decimal"),
        Property("TaxAmount", "Edm.Decimal"),
        text("SalesDocumentRjcnReason", 2),
    ),
)
ORDERS = Book(
    "sap",
    "sales_order",
    size=lambda companies: orders(companies) // 4,
    key=lambda number: sales_order(number),  # noqa: PLW0108 - it is defined below
    number=lambda place: place * 4 + 1,
    broken=("currency_unknown", "amount_not_a_number"),
    deletes=False,
)
ITEMS = Parts(
    "sap",
    "sales_order_item",
    of=ORDERS,
    count=lambda seed, number, companies: len(order(seed, number, companies=companies).lines),
    key=lambda number, place: (sales_order(number), item_number(place)),
    broken=("quantity_negative", "material_missing"),
)
BOOKS = (ORDERS, ITEMS)


def sales_order(number: int) -> str:
    """The sales order that shows order `number`."""
    return own_number(number)


def item_number(place: int) -> str:
    """Items count in tens."""
    return str((place + 1) * 10)


def _orders(world: World, sequence: int) -> Iterator[Row]:
    for entry in world.shelf(ORDERS.name).entries:
        if (state := entry.at(sequence)) is not None:
            modified, _, revision = state
            yield Row(
                {"SalesOrder": str(entry.key), "LastChangeDateTime": modified},
                lambda of=entry, at=modified, revision=revision: _order(world, of, at, revision),
                lambda navigation, of=entry: _items_of(world, of, sequence) if navigation == "to_Item" else [],
                f"W/\"datetimeoffset'{modified:%Y-%m-%dT%H%%3A%M%%3A%S}.0000000Z'\"",
            )


def _items(world: World, sequence: int) -> Iterator[Row]:
    for entry in world.shelf(ORDERS.name).entries:
        for item in _items_of(world, entry, sequence):
            yield Row({}, lambda of=item: of, lambda navigation: [])


def _items_of(world: World, entry: Entry, sequence: int) -> list[Entity]:
    parts: list[Part] = world.shelf(ITEMS.name).of_number[entry.number]
    states = ((part, part.at(sequence)) for part in parts)
    return [_item(world, part) for part, state in states if state is not None and not state[1]]


def _order(world: World, entry: Entry, modified: datetime, revision: int) -> Entity:
    of = order(world.seed, entry.number, revision, companies=world.base_size)
    process, delivery, rejection = STATUSES[of.status]
    net = sum((line.net for line in of.lines[: left(len(of.lines), revision)]), Decimal(0))
    return {
        "SalesOrder": sales_order(of.number),
        "SalesOrderType": "OR",
        "SalesOrganization": "1710",
        "DistributionChannel": "10",
        "OrganizationDivision": "00",
        "SoldToParty": sap_number(of.company * 2),
        "CreationDate": _at_midnight(of.day),
        "CreatedByUser": "SPRZEDAZ",
        "LastChangeDate": midnight(modified),
        "LastChangeDateTime": modified,
        "PurchaseOrderByCustomer": of.po_number or "",
        "SalesOrderDate": _at_midnight(of.day),
        "TotalNetAmount": "12 tys." if entry.broken == "amount_not_a_number" else net,
        "TransactionCurrency": "ZL" if entry.broken == "currency_unknown" else of.currency,
        "OverallSDProcessStatus": process,
        "OverallTotalDeliveryStatus": delivery,
        "OverallSDDocumentRejectionSts": rejection,
    }


def _item(world: World, part: Part) -> Entity:
    of = order(world.seed, part.number, companies=world.base_size)
    line = of.lines[part.place]
    goods = product(world.seed, line.product)
    return {
        "SalesOrder": sales_order(of.number),
        "SalesOrderItem": item_number(part.place),
        "SalesOrderItemCategory": "TAN",
        "SalesOrderItemText": goods.name,
        "PurchaseOrderByCustomer": of.po_number or "",
        "Material": "" if part.broken == "material_missing" else goods.sku,
        "RequestedQuantity": Decimal(-line.quantity if part.broken == "quantity_negative" else line.quantity),
        "RequestedQuantityUnit": UNITS[goods.unit],
        "TransactionCurrency": of.currency,
        "NetAmount": line.net,
        "TaxAmount": line.vat,
        "SalesDocumentRjcnReason": "",
    }


def _at_midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


SALES_ORDER = Service(
    "/sap/opu/odata/sap/API_SALES_ORDER_SRV",
    "API_SALES_ORDER_SRV",
    {"A_SalesOrder": ORDER, "A_SalesOrderItem": ITEM},
    {"A_SalesOrder": _orders, "A_SalesOrderItem": _items},
)
