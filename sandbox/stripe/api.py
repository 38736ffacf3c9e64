"""Stand-in of Stripe's lists: charges, refunds, payouts, balance transactions and events.

Wire: docs.stripe.com/api (lists newest first, `starting_after`, `has_more`; `created` in seconds since 1970; amounts in
the currency's smallest unit). It holds the payments whose number leaves 3 when divided by 4. An event may appear after
others that are younger, and one in twenty is about something that has no id.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zlib import crc32

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.stand_in import StandIn
from sandbox.stripe import webhook
from sandbox.stripe.sales import Sale, paid, sale, sold
from sandbox.world import Book, Entry, World
from sandbox.world.book import Key
from sandbox.world.business import orders, person
from sandbox.world.company import BASE_END

SECRET_KEY = "sandbox-secret"
MOST = 100
LATEST = BASE_END - timedelta(days=1)
API_VERSION = "2025-07-30.basil"
Row = dict[str, object]


def _of_refund(number: int) -> int:
    """The charge that a refund is of: every second one has two."""
    return 8 * (number // 2) + 3


def _book(stream: str, prefix: str, *broken: str, exists: Callable[[int, int, int], bool] = paid) -> Book:
    """One row for each of our payments that went through Stripe, listed by creation: later changes do not show."""
    return Book(
        "stripe",
        stream,
        size=lambda companies: orders(companies) // 4,
        key=lambda number: f"{prefix}_{number:014d}",
        number=lambda place: 4 * place + 3,
        exists=exists,
        broken=broken,
        changes=False,
        deletes=False,
    )


_DAMAGE: dict[str, Row] = {
    "amount_negative": {"amount": -500},
    "currency_malformed": {"currency": "złoty"},
    "status_unknown": {"status": "zapłacono"},
}
CHARGES = _book("charge", "ch", *_DAMAGE, exists=sold)
PAYOUTS = _book("payout", "po", "status_unknown")
TRANSACTIONS = _book("balance_transaction", "txn", "net_does_not_add_up")
EVENTS = _book("event", "evt", "type_malformed")
REFUNDS = Book(
    "stripe",
    "refund",
    size=lambda companies: orders(companies) // 4,
    key=lambda number: f"re_{number:014d}",
    exists=lambda seed, number, companies: sold(seed, _of_refund(number), companies),
    broken=("amount_negative",),
    changes=False,
    deletes=False,
)


def comes_late(refund: Key) -> bool:
    """Whether the refund with this key comes 60 days after its charge."""
    return crc32(str(refund).encode()) % 4 == 0


def names_no_object(event: Key) -> bool:
    """Whether the event with this key is about something that has no id."""
    return crc32(str(event).encode()) % 20 == 0


def fee(amount: int) -> int:
    return round(amount * 0.014) + 100


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


class Stripe:
    """The account."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._page = int(os.environ.get("SANDBOX_STRIPE_PAGE", str(MOST)))
        self._listed: dict[str, tuple[tuple[int, int], list[Row]]] = {}
        self._kinds: dict[str, tuple[Book, Callable[[Entry], Row]]] = {
            "charges": (CHARGES, self._charge),
            "refunds": (REFUNDS, self._refund),
            "payouts": (PAYOUTS, self._payout),
            "balance_transactions": (TRANSACTIONS, self._transaction),
            "events": (EVENTS, self._event),
        }

    async def listed(self, request: Request) -> Response:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or key != SECRET_KEY:
            return _error(401, "Invalid API Key provided.")
        kind = request.path_params["kind"]
        if kind not in self._kinds:
            return _error(404, f"Unrecognized request URL (GET: /v1/{kind}).")
        asked = request.query_params
        first, end = int(asked.get("created[gte]", "0")), int(asked.get("created[lt]", str(2**62)))
        rows = [row for row in self._newest_first(kind) if first <= _created(row) < end]
        if after := asked.get("starting_after"):
            places = [place for place, row in enumerate(rows) if row["id"] == after]
            if not places:
                return _error(400, f"No such {kind[:-1]}: '{after}'", "resource_missing")
            rows = rows[places[0] + 1 :]
        size = min(int(asked.get("limit", "10")), self._page)
        page = rows[:size]
        if kind == "refunds" and "data.charge" in asked.getlist("expand[]"):
            created = {row["id"]: _created(row) for row in self._newest_first("charges")}
            page = [row | {"charge": self._expanded(str(row["charge"]), _created(row), created)} for row in page]
        return JSONResponse({"object": "list", "url": f"/v1/{kind}", "has_more": len(rows) > size, "data": page})

    def _newest_first(self, kind: str) -> list[Row]:
        """All rows of a kind, remembered until there are others: none of them ever changes."""
        book, show = self._kinds[kind]
        entries = self._world.shelf(book.name).entries
        state = (self._world.epoch, len(entries))
        if kind not in self._listed or self._listed[kind][0] != state:
            rows = [show(entry) for entry in entries]
            rows.sort(key=lambda row: (_created(row), row["id"]), reverse=True)
            self._listed[kind] = (state, rows)
        return self._listed[kind][1]

    def _sale(self, number: int) -> Sale:
        return sale(self._world.seed, number, self._world.base_size)

    def _expanded(self, charge: str, refunded: int, created: dict[object, int]) -> Row:
        """The charge as it is, within an object that names it."""
        return self._sound_charge(int(charge.removeprefix("ch_")), created.get(charge, refunded))

    def _when(self, entry: Entry, number: int, later: timedelta = timedelta()) -> int:
        """The day of the payment, or of the advance that brought it."""
        if entry.born:
            return _seconds(entry.created)
        noon = datetime.combine(self._sale(number).day, datetime.min.time(), UTC) + timedelta(hours=12)
        return _seconds(min(noon + later, LATEST + later % timedelta(days=1)))

    def _charge(self, entry: Entry) -> Row:
        return self._sound_charge(entry.number, self._when(entry, entry.number)) | _DAMAGE.get(entry.broken or "", {})

    def _sound_charge(self, number: int, created: int) -> Row:
        sold = self._sale(number)
        who = person(self._world.seed, number % 40)
        returned = sum(sold.refunds)
        return {
            "id": CHARGES.key(number),
            "object": "charge",
            "amount": sold.amount,
            "amount_captured": sold.amount if sold.captured else 0,
            "amount_refunded": returned,
            "balance_transaction": TRANSACTIONS.key(number) if sold.captured else None,
            "billing_details": {
                "name": f"{who.first_name} {who.last_name}",
                "email": f"platnosci{number}@klient.example.pl",
                "phone": None,
            },
            "captured": sold.captured,
            "created": created,
            "currency": sold.currency,
            "customer": None,
            "description": f"Faktura {sold.invoice}" if sold.invoice else None,
            "disputed": False,
            "failure_code": None,
            "livemode": False,
            "metadata": {"invoice": sold.invoice} if sold.invoice else {},
            "paid": True,
            "payment_intent": f"pi_{number:014d}",
            "payment_method_details": {"type": sold.method},
            "refunded": returned == sold.amount,
            "status": "succeeded",
        }

    def _refund(self, entry: Entry) -> Row:
        number, place = _of_refund(entry.number), entry.number % 2
        sold = self._sale(number)
        late = timedelta(days=60 if comes_late(entry.key) else 0)  # the charge is no longer read again
        return {
            "id": entry.key,
            "object": "refund",
            "amount": -1 if entry.broken else sold.refunds[place],
            "balance_transaction": f"txn_re{entry.number:012d}",
            "charge": CHARGES.key(number),
            "created": self._when(entry, number, late + timedelta(hours=1 + place)),
            "currency": sold.currency,
            "metadata": {"invoice": sold.invoice} if sold.invoice else {},
            "payment_intent": f"pi_{number:014d}",
            "reason": "requested_by_customer",
            "status": "succeeded",
        }

    def _payout(self, entry: Entry) -> Row:
        sold = self._sale(entry.number)
        created = self._when(entry, entry.number, timedelta(hours=6))
        return {
            "id": entry.key,
            "object": "payout",
            "amount": sold.amount - fee(sold.amount),
            "arrival_date": created + 2 * 86_400,
            "automatic": True,
            "balance_transaction": f"txn_po{entry.number:012d}",
            "created": created,
            "currency": sold.currency,
            "destination": "ba_00000000000001",
            "failure_code": None,
            "livemode": False,
            "metadata": {},
            "method": "standard",
            "statement_descriptor": None,
            "status": "w drodze" if entry.broken else "paid",
            "type": "bank_account",
        }

    def _transaction(self, entry: Entry) -> Row:
        sold = self._sale(entry.number)
        amount, created = sold.amount, self._when(entry, entry.number)
        return {
            "id": entry.key,
            "object": "balance_transaction",
            "amount": amount,
            "available_on": created + 2 * 86_400,
            "created": created,
            "currency": sold.currency,
            "description": f"Faktura {sold.invoice}",
            "exchange_rate": None,
            "fee": fee(amount),
            "net": amount if entry.broken else amount - fee(amount),
            "reporting_category": "charge",
            "source": CHARGES.key(entry.number),
            "status": "available",
            "type": "charge",
        }

    def _event(self, entry: Entry) -> Row:
        charge = self._sound_charge(entry.number, self._when(entry, entry.number))
        lag = entry.number * 37 % 1200 if entry.born else 0  # it appears so much later than it says
        about, kind = charge, "charge.succeeded"
        if names_no_object(entry.key):
            about, kind = {"object": "balance", "available": [{"amount": charge["amount"]}]}, "balance.available"
        return {
            "id": entry.key,
            "object": "event",
            "api_version": API_VERSION,
            "created": _created(charge) - lag,
            "data": {"object": about},
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": f"req_{entry.number:014d}", "idempotency_key": None},
            "type": "CHARGE SUCCEEDED" if entry.broken else kind,
        }


def _created(row: Row) -> int:
    return int(str(row["created"]))


def _error(status: int, message: str, code: str | None = None) -> Response:
    error = {"message": message, "type": "invalid_request_error"} | ({"code": code} if code else {})
    return JSONResponse({"error": error}, status)


def routes(world: World) -> list[Route]:
    """The routes below /stripe."""
    return [Route("/v1/{kind}", Stripe(world).listed)]


STAND_IN = StandIn(
    "stripe",
    routes,
    sign_in=(None, SECRET_KEY),
    extra={"signing_secret": webhook.SIGNING_SECRET},
    books=(CHARGES, REFUNDS, PAYOUTS, TRANSACTIONS, EVENTS),
    happen=webhook.abandon_checkout,
)
