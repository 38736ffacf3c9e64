"""Stand-in of Stripe's lists: charges, refunds, payouts, balance transactions and events.

Wire: docs.stripe.com/api (lists newest first, `starting_after`, `has_more`; `created` in seconds since 1970; amounts in
the currency's smallest unit). It holds the payments whose number leaves 3 when divided by 4. An event may appear after
others that are younger.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.stand_in import StandIn
from sandbox.world import Book, Entry, World
from sandbox.world.business import Payment, orders, payment, person
from sandbox.world.company import BASE_END

SECRET_KEY = "sandbox-secret"
MOST = 100
LATEST = BASE_END - timedelta(days=1)
API_VERSION = "2025-07-30.basil"
Row = dict[str, object]


def _of_refund(number: int) -> int:
    """The charge that a refund is of: every second one has two."""
    return 8 * (number // 2) + 3


def _paid(seed: int, number: int, companies: int) -> bool:
    return payment(seed, number, companies=companies) is not None


def _book(stream: str, prefix: str, *broken: str) -> Book:
    """One row for each of our payments that went through Stripe, listed by creation: later changes do not show."""
    return Book(
        "stripe",
        stream,
        size=lambda companies: orders(companies) // 4,
        key=lambda number: f"{prefix}_{number:014d}",
        number=lambda place: 4 * place + 3,
        exists=_paid,
        broken=broken,
        changes=False,
        deletes=False,
    )


_DAMAGE: dict[str, Row] = {
    "amount_negative": {"amount": -500},
    "currency_malformed": {"currency": "złoty"},
    "status_unknown": {"status": "zapłacono"},
}
CHARGES = _book("charge", "ch", *_DAMAGE)
PAYOUTS = _book("payout", "po", "status_unknown")
TRANSACTIONS = _book("balance_transaction", "txn", "net_does_not_add_up")
EVENTS = _book("event", "evt", "type_malformed")
REFUNDS = Book(
    "stripe",
    "refund",
    size=lambda companies: orders(companies) // 4,
    key=lambda number: f"re_{number:014d}",
    exists=lambda seed, number, companies: _paid(seed, _of_refund(number), companies),
    broken=("amount_negative",),
    changes=False,
    deletes=False,
)


def minor(amount: Decimal) -> int:
    """In the smallest unit of a currency with two places."""
    return int(amount * 100)


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
        return JSONResponse({"object": "list", "url": f"/v1/{kind}", "has_more": len(rows) > size, "data": rows[:size]})

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

    def _payment(self, number: int) -> Payment:
        found = payment(self._world.seed, number, companies=self._world.base_size)
        if found is None:
            raise ValueError(f"nobody has paid invoice {number}")
        return found

    def _when(self, entry: Entry, number: int, later: timedelta = timedelta()) -> int:
        """The day of the payment, or of the advance that brought it."""
        if entry.born:
            return _seconds(entry.created)
        noon = datetime.combine(self._payment(number).day, datetime.min.time(), UTC) + timedelta(hours=12)
        return _seconds(min(noon, LATEST) + later)

    def _charge(self, entry: Entry) -> Row:
        return self._sound_charge(entry) | _DAMAGE.get(entry.broken or "", {})

    def _sound_charge(self, entry: Entry) -> Row:
        number = entry.number
        paid = self._payment(number)
        amount = minor(paid.amount)
        who = person(self._world.seed, number % 40)
        return {
            "id": CHARGES.key(number),
            "object": "charge",
            "amount": amount,
            "amount_captured": amount,
            "amount_refunded": 2 * self._refunded(number) if number % 8 == 3 else 0,
            "balance_transaction": TRANSACTIONS.key(number),
            "billing_details": {
                "name": f"{who.first_name} {who.last_name}",
                "email": f"platnosci{number}@klient.example.pl",
                "phone": None,
            },
            "captured": True,
            "created": self._when(entry, number),
            "currency": paid.invoice.order.currency.lower(),
            "customer": None,
            "description": f"Faktura {paid.invoice.reference}",
            "disputed": False,
            "failure_code": None,
            "livemode": False,
            "metadata": {"invoice": paid.invoice.reference},
            "paid": True,
            "payment_intent": f"pi_{number:014d}",
            "payment_method_details": {"type": "p24" if paid.method == "transfer" else paid.method},
            "refunded": False,
            "status": "succeeded",
        }

    def _refunded(self, number: int) -> int:
        """What one of the two refunds of a charge gives back: a little, for goodwill."""
        return minor(self._payment(number).amount) // 100

    def _refund(self, entry: Entry) -> Row:
        number = _of_refund(entry.number)
        paid = self._payment(number)
        amount = self._refunded(number)
        return {
            "id": entry.key,
            "object": "refund",
            "amount": -1 if entry.broken else amount,
            "balance_transaction": f"txn_re{entry.number:012d}",
            "charge": CHARGES.key(number),
            "created": self._when(entry, number, timedelta(hours=1 + entry.number % 2)),
            "currency": paid.invoice.order.currency.lower(),
            "metadata": {"invoice": paid.invoice.reference},
            "payment_intent": f"pi_{number:014d}",
            "reason": "requested_by_customer",
            "status": "succeeded",
        }

    def _payout(self, entry: Entry) -> Row:
        paid = self._payment(entry.number)
        created = self._when(entry, entry.number, timedelta(hours=6))
        return {
            "id": entry.key,
            "object": "payout",
            "amount": minor(paid.amount) - fee(minor(paid.amount)),
            "arrival_date": created + 2 * 86_400,
            "automatic": True,
            "balance_transaction": f"txn_po{entry.number:012d}",
            "created": created,
            "currency": paid.invoice.order.currency.lower(),
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
        paid = self._payment(entry.number)
        amount, created = minor(paid.amount), self._when(entry, entry.number)
        return {
            "id": entry.key,
            "object": "balance_transaction",
            "amount": amount,
            "available_on": created + 2 * 86_400,
            "created": created,
            "currency": paid.invoice.order.currency.lower(),
            "description": f"Faktura {paid.invoice.reference}",
            "exchange_rate": None,
            "fee": fee(amount),
            "net": amount if entry.broken else amount - fee(amount),
            "reporting_category": "charge",
            "source": CHARGES.key(entry.number),
            "status": "available",
            "type": "charge",
        }

    def _event(self, entry: Entry) -> Row:
        charge = self._sound_charge(entry)
        lag = entry.number * 37 % 1200 if entry.born else 0  # it appears so much later than it says
        return {
            "id": entry.key,
            "object": "event",
            "api_version": API_VERSION,
            "created": _created(charge) - lag,
            "data": {"object": charge},
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": f"req_{entry.number:014d}", "idempotency_key": None},
            "type": "CHARGE SUCCEEDED" if entry.broken else "charge.succeeded",
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
    "stripe", routes, sign_in=(None, SECRET_KEY), books=(CHARGES, REFUNDS, PAYOUTS, TRANSACTIONS, EVENTS)
)
