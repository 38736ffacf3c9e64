"""What the made-up companies' supplier does all day: people, products, orders, invoices, payments.

Each is a pure function of the seed and its number (and, where it changes, its revision), so that every stand-in that
shows order 17 shows the same order, spelled its own way. Amounts are Decimals with two places, in `currency`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from sandbox.world import words
from sandbox.world.records import customer_of
from sandbox.world.spelling import slug

CENT = Decimal("0.01")
OUR_NIP = "5252248481"
OUR_NAME = "Jednorodny Sp. z o.o."
FIRST_DAY, LAST_DAY = date(2024, 1, 2), date(2026, 6, 30)
DEPARTMENTS = ("Zarząd", "Sprzedaż", "Finanse", "Magazyn", "IT", "Obsługa klienta", "Zakupy")
JOBS = {
    "Zarząd": "Dyrektor", "Sprzedaż": "Przedstawiciel handlowy", "Finanse": "Księgowy", "Magazyn": "Magazynier",
    "IT": "Programista", "Obsługa klienta": "Konsultant", "Zakupy": "Kupiec",
}  # fmt: skip
GOODS = (
    "Lampa", "Kabel", "Zawór", "Wkręt", "Panel", "Farba", "Klej", "Rura", "Filtr", "Łożysko", "Silnik", "Czujnik",
    "Uszczelka", "Śruba", "Gniazdo", "Żarówka",
)  # fmt: skip
KINDS = ("podtynkowa", "stalowy", "kulowy", "ocynkowany", "ścienny", "biała", "montażowy", "PVC", "powietrza")
PESEL_WEIGHTS = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
EAN_WEIGHTS = (1, 3) * 6
STATES = ("new", "confirmed", "shipped", "completed", "cancelled")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works for us."""

    number: int
    first_name: str
    last_name: str
    email: str
    phone: str
    born: date
    pesel: str
    department: str
    job: str
    manager: int | None
    hired: date
    left: date | None
    salary: Decimal
    login: str


@dataclass(frozen=True, slots=True)
class Product:
    number: int
    sku: str
    ean: str
    name: str
    unit: str
    net_price: Decimal
    currency: str
    vat_rate: Decimal
    active: bool


@dataclass(frozen=True, slots=True)
class Line:
    """`net` is quantity times net_price, `vat` its tax at vat_rate percent, each rounded to cents."""

    number: int
    product: int
    quantity: int
    net_price: Decimal
    vat_rate: Decimal
    net: Decimal
    vat: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    """An order that a company (its id) placed with us. `reference` is what invoices call it: our number, or, of orders
    that CRM and SAP took, mostly the customer's, which two may have chosen alike (see `own_number`)."""

    number: int
    reference: str
    company: int
    day: date
    currency: str
    status: str
    lines: tuple[Line, ...]

    @property
    def po_number(self) -> str | None:
        """The customer's number of the order, as CRM and SAP have it."""
        return None if self.reference == own_number(self.number) else self.reference

    @property
    def net(self) -> Decimal:
        return sum((line.net for line in self.lines), Decimal(0))

    @property
    def vat(self) -> Decimal:
        return sum((line.vat for line in self.lines), Decimal(0))

    @property
    def gross(self) -> Decimal:
        return self.net + self.vat


@dataclass(frozen=True, slots=True)
class Invoice:
    """The invoice for the order with the same number. `corrects` is the number of the invoice that it corrects."""

    number: int
    reference: str
    order: Order
    issued: date
    due: date
    corrects: int | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """What was paid for the invoice with the same number; `amount` may be less than it (part) or nothing."""

    number: int
    reference: str
    invoice: Invoice
    day: date
    amount: Decimal
    method: str


def people(companies: int) -> int:
    """How many persons a world of so many companies has."""
    return max(60, companies // 10)


def products(companies: int) -> int:
    return max(80, companies // 10)


def orders(companies: int) -> int:
    """How many orders, and as many invoices and payments at most."""
    return max(120, companies)


@lru_cache(65536)
def person(seed: int, number: int, revision: int = 1) -> Person:
    """Person `number`; a revision moves the salary and the phone."""
    rng = random.Random(f"{seed}:person:{number}")
    first, last = rng.choice(words.FIRST_NAMES), rng.choice(words.SURNAMES)
    born = date(1960, 1, 1) + timedelta(days=rng.randrange(16_000))
    hired = max(FIRST_DAY - timedelta(days=rng.randrange(4_000)), born + timedelta(days=7_000))
    department = "Zarząd" if number < 3 else rng.choice(DEPARTMENTS[1:])
    left = FIRST_DAY + timedelta(days=rng.randrange(900)) if rng.random() < 0.08 and number >= 10 else None
    login = f"{slug(first)[:1]}{slug(last)}{number}"
    changed = random.Random(f"{seed}:person:{number}:{revision}")
    return Person(
        number=number,
        first_name=first,
        last_name=last,
        email=f"{login}@jednorodny.example.pl",
        phone=f"+4860{changed.randrange(10_000_000):07d}",
        born=born,
        pesel=_pesel(born, number, female=first.endswith("a")),
        department=department,
        job=JOBS[department],
        manager=None if number == 0 else number % 3 if number < 10 else rng.randrange(10),
        hired=hired,
        left=left,
        salary=Decimal(5_000 + rng.randrange(200) * 100 + revision * 50).quantize(CENT),
        login=login,
    )


@lru_cache(65536)
def product(seed: int, number: int, revision: int = 1) -> Product:
    """Product `number`; a revision raises its price."""
    rng = random.Random(f"{seed}:product:{number}")
    digits = f"590{number + 100_000_000:09d}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, EAN_WEIGHTS, strict=True))
    return Product(
        number=number,
        sku=f"JR-{number + 1000:05d}",
        ean=f"{digits}{-total % 10}",
        name=f"{rng.choice(GOODS)} {rng.choice(KINDS)} {rng.randrange(10, 400)}",
        unit=rng.choice(("szt", "szt", "m", "kg", "opak")),
        net_price=(Decimal(rng.randrange(100, 90_000)) / 100 + revision - 1).quantize(CENT),
        currency="PLN",
        vat_rate=Decimal(rng.choice((23, 23, 23, 8, 5))),
        active=rng.random() < 0.95,
    )


@lru_cache(65536)
def order(seed: int, number: int, revision: int = 1, *, companies: int = 2000) -> Order:
    """Order `number` in a base world of so many companies; a revision moves its status."""
    rng = random.Random(f"{seed}:order:{number}")
    company = rng.randrange(companies)
    day = FIRST_DAY + timedelta(days=rng.randrange((LAST_DAY - FIRST_DAY).days))
    currency = "EUR" if rng.random() < 0.12 else "PLN"
    start = rng.randrange(len(STATES) - 1)
    lines = []
    for place in range(1, rng.randrange(2, 6)):
        article = product(seed, rng.randrange(products(companies)))
        quantity = rng.randrange(1, 40)
        net = (article.net_price * quantity).quantize(CENT)
        vat = (net * article.vat_rate / 100).quantize(CENT)
        lines.append(Line(place, article.number, quantity, article.net_price, article.vat_rate, net, vat))
    return Order(
        number=number,
        reference=_reference(seed, number, company, day),
        company=company,
        day=day,
        currency=currency,
        status=STATES[(start + revision - 1) % len(STATES)],
        lines=tuple(lines),
    )


def has_article_number(number: int) -> bool:
    """Whether the CRM has the article number of product `number`."""
    return number % 25 != 7


def own_number(number: int) -> str:
    """What the CRM and SAP, which take every fourth order each, number an order."""
    return f"{number + 1:0{8 if number % 4 == 0 else 10}d}"


def _reference(seed: int, number: int, company: int, day: date) -> str:
    match number % 80:
        case 0 | 4 if customer_of(seed, company)[0]:  # two customers' orders with one number
            return f"{number // 80 + 1}/2026"
        case 1 | 5 if customer_of(seed, company)[1]:
            return f"PO {number // 80 + 1}"
        case 8 | 9:  # the customer gave none
            return own_number(number)
    return f"ZAM/{day.year}/{number + 1:06d}"


def invoice(seed: int, number: int, *, companies: int = 2000) -> Invoice:
    """The invoice for order `number`; it never changes (corrections are documents of their own)."""
    rng = random.Random(f"{seed}:invoice:{number}")
    of = order(seed, number, companies=companies)
    issued = of.day + timedelta(days=rng.randrange(0, 8))
    due = issued + timedelta(days=rng.choice((7, 14, 30, 60)))
    return Invoice(number, f"FV/{issued.year}/{number + 1:06d}", of, issued, due)


def correction(seed: int, number: int, *, companies: int = 2000) -> Invoice | None:
    """The correcting invoice for invoice `number`, one in 25 has one: its first line was returned."""
    rng = random.Random(f"{seed}:correction:{number}")
    if rng.random() >= 0.04:
        return None
    original = invoice(seed, number, companies=companies)
    first = original.order.lines[0]
    back = Line(1, first.product, -first.quantity, first.net_price, first.vat_rate, -first.net, -first.vat)
    of = original.order
    returned = Order(of.number, of.reference, of.company, of.day, of.currency, of.status, (back,))
    issued = original.issued + timedelta(days=rng.randrange(3, 30))
    return Invoice(number, f"KOR/{issued.year}/{number + 1:06d}", returned, issued, issued, corrects=number)


def payment(seed: int, number: int, *, companies: int = 2000) -> Payment | None:
    """The payment of invoice `number`; None for the 15 % that nobody has paid, less than all for 7 %."""
    rng = random.Random(f"{seed}:payment:{number}")
    if rng.random() < 0.15:
        return None
    of = invoice(seed, number, companies=companies)
    gross = of.order.gross
    amount = (gross / 2).quantize(CENT) if rng.random() < 0.08 else gross
    day = of.issued + timedelta(days=rng.randrange(0, 75))
    return Payment(number, f"PL/{number + 1:06d}", of, day, amount, rng.choice(("transfer", "card", "blik")))


def _pesel(born: date, number: int, *, female: bool) -> str:
    """With a valid check digit; months of the 2000s are raised by 20 (rule: stdnum.pl.pesel)."""
    month = born.month + (20 if born.year >= 2000 else 0)
    serial = number % 1000 * 10 + (2 * (number // 1000) + (0 if female else 1)) % 10
    digits = f"{born.year % 100:02d}{month:02d}{born.day:02d}{serial:04d}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, PESEL_WEIGHTS, strict=True))
    return f"{digits}{-total % 10}"
