"""What a web shop holds: customers (companies), products with a variant each, orders and their lines.

Each is shown as Shopify's Admin API shows it; a connection is a list in a Nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import ROUND_UP, Decimal
from functools import lru_cache

from sandbox.world import Book, Entry, Parts, World
from sandbox.world.business import CENT, Line, Order, order, orders, person, product, products
from sandbox.world.company import make_company
from sandbox.world.foreign import FIRST, firms, foreign
from sandbox.world.parts import left
from sandbox.world.share import share
from sandbox.world.spelling import street_line

Object = dict[str, object]
FINANCIAL = {"new": "PENDING", "confirmed": "PAID", "shipped": "PAID", "completed": "PAID", "cancelled": "VOIDED"}
FULFILMENT = {"new": "UNFULFILLED", "confirmed": "UNFULFILLED", "shipped": "FULFILLED", "completed": "FULFILLED"}


@dataclass(frozen=True, slots=True)
class Nodes:
    """A connection's nodes."""

    type: str
    nodes: list[Object]


@dataclass(frozen=True, slots=True)
class Shipping:
    """What the shipping costs, and the tax in it."""

    total: Decimal
    tax: Decimal


SHIPPING = Shipping(Decimal("12.30"), Decimal("2.30"))


def taxes_included(number: int) -> bool:
    """Whether order `number` was placed at prices with the tax in them: every fourth order of the shop."""
    return number % 16 == 3


def is_person(number: int) -> bool:
    """Whether customer `number` is somebody without a company."""
    return number % 25 == 4 and number < FIRST


def is_discounted(number: int) -> bool:
    """Whether the lines of order `number` have discounts."""
    return number % 24 in (3, 7)


def gid(type_: str, number: int) -> str:
    return f"gid://shopify/{type_}/{7_000_000_000_000 + number}"


def order_number(place: int) -> int:
    return place * 4 + 3


@lru_cache(4)
def buyers(seed: int, companies: int) -> frozenset[int]:
    """The companies that order here, those of orders to come included."""
    places = range(2 * (orders(companies) // 4))
    return frozenset(order(seed, order_number(place), companies=companies).company for place in places)


ORDERS = Book(
    "shop",
    "order",
    size=lambda companies: orders(companies) // 4,
    number=order_number,
    key=lambda number: gid("Order", number),
    broken=("name_missing", "total_negative"),
    hides_deleted=True,  # an order's deletion tells nothing of its lines to who has never seen them
)
BOOKS = (
    Book(
        "shop",
        "customer",
        size=lambda companies: companies,
        key=lambda number: gid("Customer", number),
        company=lambda number: number,
        exists=lambda seed, number, companies: number >= companies or number in buyers(seed, companies),
        broken=("email_malformed", "name_missing"),
        also=lambda seed, companies: (firm for firm in firms(seed, companies) if share("foreign buyer", firm) < 0.5),
    ),
    Book(
        "shop",
        "product",
        size=products,
        key=lambda number: gid("Product", number),
        broken=("barcode_letters", "title_missing"),
    ),
    ORDERS,
    Parts(
        "shop",
        "order_line",
        of=ORDERS,
        count=lambda seed, number, companies: len(order(seed, number, companies=companies).lines),
        key=lambda number, place: (gid("Order", number), gid("LineItem", number * 10 + place)),
        broken=("quantity_zero", "title_missing"),
    ),
)


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def customer(world: World, entry: Entry, modified: datetime, revision: int) -> Object:
    """A company that buys; `revision` counts its visits."""
    abroad = entry.number >= FIRST
    who = foreign(entry.number) if abroad else make_company(world.seed, entry.number)
    name = "" if entry.broken == "name_missing" else who.name
    email = who.email.replace("@", "(at)") if entry.broken == "email_malformed" else who.email
    buyer = person(world.seed, entry.number % 97) if is_person(entry.number) and not entry.broken else None
    name = f"{buyer.first_name} {buyer.last_name}" if buyer else name
    dashed = entry.number % 3 == 0 and not abroad
    nip = f"{who.nip[:3]}-{who.nip[3:6]}-{who.nip[6:8]}-{who.nip[8:]}" if dashed else who.nip
    return {
        "id": entry.key,
        "legacyResourceId": entry.key.rpartition("/")[2],
        "displayName": name,
        "firstName": buyer.first_name if buyer else None,
        "lastName": buyer.last_name if buyer else None,
        "createdAt": moment(entry.created),
        "updatedAt": moment(modified),
        "state": "ENABLED" if entry.number % 4 else "DISABLED",
        "verifiedEmail": entry.number % 5 != 0,
        "taxExempt": False,
        "numberOfOrders": str(revision),
        "amountSpent": {"amount": f"{revision * 125}.0", "currencyCode": who.currency},
        "note": None,
        "tags": ["hurt"] if entry.number % 2 else [],
        "defaultEmailAddress": {"emailAddress": email},
        "defaultPhoneNumber": {"phoneNumber": who.phone} if entry.number % 7 else None,
        "defaultAddress": {
            "company": None if buyer else name,
            "address1": street_line(who.street, who.house_no, None, 0, who.country),
            "address2": who.flat_no,
            "city": who.city,
            "zip": who.postal_code,
            "countryCodeV2": who.country,
            "phone": who.phone,
        },
        "metafield": _metafield({("custom", "nip"): nip} if nip else {}),
    }


def article(world: World, entry: Entry, modified: datetime, revision: int) -> Object:
    what = product(world.seed, entry.number, revision)
    variant = {
        "id": gid("ProductVariant", entry.number),
        "sku": what.sku,
        "barcode": f"EAN{what.ean[3:]}" if entry.broken == "barcode_letters" else what.ean,
        "price": f"{what.net_price * (100 + what.vat_rate) / 100:.2f}",
        "title": "Default Title",
        "inventoryQuantity": 5 * revision,
    }
    return {
        "id": entry.key,
        "title": "" if entry.broken == "title_missing" else what.name,
        "handle": what.sku.lower(),
        "status": "ACTIVE" if what.active else "ARCHIVED",
        "vendor": "Jednorodny",
        "productType": what.name.split()[0],
        "createdAt": moment(entry.created),
        "updatedAt": moment(modified),
        "totalInventory": 5 * revision,
        "variants": Nodes("ProductVariant", [variant]),
    }


def bought(world: World, entry: Entry, modified: datetime, revision: int) -> Object:
    what = order(world.seed, entry.number, revision, companies=world.base_size)
    lines = what.lines[: left(len(what.lines), revision)]
    net = sum((line.net for line in lines), Decimal(0))
    vat = sum((line.vat for line in lines), Decimal(0))
    placed = datetime.combine(what.day, time(10), UTC)
    damaged = {part.place: part.broken for part in world.shelf("shop.order_line").of_number[entry.number]}
    included, shipping = taxes_included(entry.number), SHIPPING if taxes_included(entry.number) else None
    total = net + vat + (shipping.total if shipping else 0)
    total = -total if entry.broken == "total_negative" else total
    return {
        "id": entry.key,
        "name": "" if entry.broken == "name_missing" else what.reference,
        "createdAt": moment(entry.created),
        "updatedAt": moment(modified),
        "processedAt": moment(placed),
        "cancelledAt": moment(modified) if what.status == "cancelled" else None,
        "closedAt": moment(modified) if what.status == "completed" else None,
        "displayFinancialStatus": FINANCIAL[what.status],
        "displayFulfillmentStatus": FULFILMENT.get(what.status, "UNFULFILLED"),
        "currencyCode": what.currency,
        "taxesIncluded": included,
        "test": False,
        "sourceName": "web",
        "note": None,
        "email": make_company(world.seed, what.company).email,
        "customer": {"id": gid("Customer", what.company)},
        "subtotalPriceSet": _money(net + vat if included else net, what.currency),
        "totalTaxSet": _money(vat + (shipping.tax if shipping else 0), what.currency),
        "totalPriceSet": _money(total, what.currency),
        "shippingLine": {"taxLines": [_tax(Decimal(23), shipping.tax, what.currency)]} if shipping else None,
        "lineItems": Nodes(
            "LineItem", [_line(world, what, line, place, damaged.get(place)) for place, line in enumerate(lines)]
        ),
    }


def _line(world: World, of: Order, line: Line, place: int, broken: str | None) -> Object:
    what = product(world.seed, line.product)
    to_pay = line.net + line.vat if taxes_included(of.number) else line.net
    discounted = is_discounted(of.number)  # the price without the discount, in whole cents a piece
    unit = (to_pay / line.quantity).quantize(CENT, ROUND_UP) + 1 if discounted else to_pay / line.quantity
    unit = unit.quantize(CENT)
    total = unit * line.quantity if discounted else to_pay
    discounts = [total - to_pay - CENT, CENT] if discounted else []
    return {
        "id": gid("LineItem", of.number * 10 + place),
        "title": "" if broken == "title_missing" else what.name,
        "sku": what.sku,
        "vendor": "Jednorodny",
        "quantity": 0 if broken == "quantity_zero" else line.quantity,
        "currentQuantity": line.quantity,
        "originalUnitPriceSet": _money(unit, of.currency),
        "originalTotalSet": _money(total, of.currency),
        "discountAllocations": [{"allocatedAmountSet": _money(each, of.currency)} for each in discounts],
        "taxLines": [_tax(line.vat_rate, line.vat, of.currency)],
        "product": {"id": gid("Product", line.product)},
        "variant": {"id": gid("ProductVariant", line.product)},
    }


def _tax(rate: Decimal, amount: Decimal, currency: str) -> Object:
    return {
        "title": f"VAT {rate}%",
        "rate": float(rate) / 100,
        "ratePercentage": float(rate),
        "priceSet": _money(amount, currency),
    }


def _money(amount: Decimal, currency: str) -> Object:
    """Shopify writes at least one decimal: 125.0, 12.34."""
    text = f"{amount:.2f}"
    money = {"amount": text.removesuffix("0"), "currencyCode": currency}
    return {"shopMoney": money, "presentmentMoney": money}


def _metafield(values: dict[tuple[str, str], str]) -> Callable[..., Object | None]:
    def metafield(namespace: str = "", key: str = "") -> Object | None:
        value = values.get((namespace, key))
        return (
            None
            if value is None
            else {"namespace": namespace, "key": key, "type": "single_line_text_field", "value": value}
        )

    return metafield


def destroyed(entry: Entry, subject: str, at: datetime, number: int) -> Object:
    """The event that is left of a deleted row."""
    return {
        "id": gid("BasicEvent", number),
        "action": "destroy",
        "createdAt": moment(at),
        "message": f"{subject.capitalize()} was deleted.",
        "subjectType": subject,
        "subjectId": entry.key,
    }


SHOWN = {"customers": customer, "products": article, "orders": bought}
STREAMS = {"customers": "customer", "products": "product", "orders": "order"}
TYPES = {"customers": "Customer", "products": "Product", "orders": "Order", "events": "BasicEvent"}
