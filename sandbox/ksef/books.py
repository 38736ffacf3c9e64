"""Which invoices KSeF holds: their numbers and what they are for.

Of those that we issued, document 2n is the invoice for order n and document 2n + 1 its correction, where there is one.
Others were issued to us, by the companies that the ERP has as suppliers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache

from sandbox.ksef.varieties import roll, shows_states, variety
from sandbox.world import Book, Company, Parts, Shelf, business
from sandbox.world.company import make_company
from sandbox.world.parts import Part, PartShelf

UNREADABLE = ("xml_invalid", "xml_bomb")
BROKEN = (*UNREADABLE, "amount_not_a_number")
_BOUGHT = 10_000_000  # no order of ours has so high a number


def ksef_number(document: int, nip: str = business.OUR_NIP) -> str:
    """The number that KSeF gave it: the seller's NIP, a day, twelve hexadecimal digits and a check sum (CRC-8).

    Source: "Numer KSeF" (github.com/CIRFMF/ksef-docs). The day is made up: nobody may conclude anything from it.
    """
    day = business.FIRST_DAY + timedelta(days=document * 37 % 900)
    digits = hashlib.sha256(f"{nip}:{document}".encode()).hexdigest()[:12].upper()
    number = f"{nip}-{day:%Y%m%d}-{digits}"
    return f"{number}-{_crc_8(number.encode()):02X}"


def invoice(seed: int, document: int, companies: int) -> business.Invoice | None:
    """The invoice or correction; None where the invoice has no correction."""
    number, is_correction = divmod(document, 2)
    if is_correction:
        return business.correction(seed, number, companies=companies)
    return business.invoice(seed, number, companies=companies)


def purchase(seed: int, number: int, companies: int) -> business.Invoice:
    """What a supplier, its order's company, invoiced us for, or the correction of the purchase before."""
    if number % 20 == 7:
        original = _bought(seed, number - 1, companies)
        return _returned(original, number, original.reference if number % 40 == 7 else f"KOR/{original.reference}")
    return _bought(seed, number, companies)


@lru_cache(65536)
def _bought(seed: int, number: int, companies: int) -> business.Invoice:
    placed = business.order(seed, _BOUGHT + number, companies=companies)
    supplier = placed.company % min(companies, max(60, companies // 6))  # as many as the ERP has
    while not is_nip(company(seed, supplier).nip):
        supplier += 1
    ours = replace(placed, number=number, reference=f"ZK/{placed.day.year}/{number + 1:06d}", company=supplier)
    issued = placed.day + timedelta(days=number % 5)
    key = ksef_number(number, company(seed, supplier).nip)
    # as many suppliers do, with numbers that begin anew each year: two have the same
    name = f"1/{issued.year}" if roll(key, "number", 12) == 0 else f"{number + 1:04d}/{issued:%m/%Y}"
    return business.Invoice(number, name, ours, issued, issued + timedelta(days=14))


def _returned(original: business.Invoice, number: int, name: str) -> business.Invoice:
    """The correction of a purchase: its first line was given back. Suppliers may number it as the invoice."""
    first, of = original.order.lines[0], original.order
    back = replace(first, number=1, quantity=-first.quantity, net=-first.net, vat=-first.vat)
    issued = original.issued + timedelta(days=9)
    return business.Invoice(number, name, replace(of, lines=(back,)), issued, issued, corrects=original.number)


@lru_cache(65536)
def kind_of(seed: int, number: int, companies: int, *, bought: bool) -> str | None:
    """The less common kind of a document (varieties.py); None of a correction, which has kinds of its own."""
    of = purchase(seed, number, companies) if bought else invoice(seed, number, companies)
    if of is None or of.corrects is not None:
        return None
    key = ksef_number(number, company(seed, of.order.company).nip) if bought else ksef_number(number)
    return variety(key, of.order.currency, bought=bought)


def _count(of: business.Invoice, key: str) -> int:
    """How many lines the XML has."""
    return len(of.order.lines) * (2 if of.corrects is not None and shows_states(key) else 1)


def _exists(seed: int, document: int, companies: int) -> bool:
    return invoice(seed, document, companies) is not None


def _lines(seed: int, document: int, companies: int) -> int:
    of = invoice(seed, document, companies)
    return _count(of, ksef_number(document)) if of else 0


def _bought_lines(seed: int, number: int, companies: int) -> int:
    of = purchase(seed, number, companies)
    return _count(of, ksef_number(number, company(seed, of.order.company).nip))


@dataclass(frozen=True, slots=True)
class _Purchases(Book):
    """Invoices whose KSeF number begins with their supplier's NIP, which the seed decides on."""

    def opened(self, shelves: Mapping[str, Shelf], seed: int, companies: int) -> Shelf:
        def key(number: int) -> str:
            return ksef_number(number, company(seed, purchase(seed, number, companies).order.company).nip)

        return Shelf(replace(self, key=key), seed, companies)


@dataclass(frozen=True, slots=True)
class _Lines(Parts):
    """The lines of invoices; one that nobody can read is one broken row, with position 0."""

    def opened(self, shelves: Mapping[str, Shelf], seed: int, companies: int) -> PartShelf:
        return _LineShelf(self, shelves[self.of.name], seed, companies)


class _LineShelf(PartShelf):
    def _follow(self) -> None:
        for parent in self._of.entries[len(self.of_number) :]:
            if parent.broken in UNREADABLE:
                parts = [Part(parent, 0, 1, (parent.key, "0"), parent.broken)]
            else:
                count = self.book.count(self._seed, parent.number, self._companies)
                parts = [Part(parent, at, count, (parent.key, str(at + 1)), None) for at in range(count)]
            self.of_number[parent.number] = parts
            self.entries += parts


INVOICES = Book(
    "ksef",
    "invoice",
    size=lambda companies: 2 * business.orders(companies),
    key=ksef_number,
    exists=_exists,
    broken=BROKEN,
    changes=False,
    deletes=False,
)
PURCHASES = _Purchases(
    "ksef",
    "purchase",
    size=lambda companies: business.orders(companies) // 4,
    key=ksef_number,
    broken=BROKEN,
    changes=False,
    deletes=False,
)
LINES = _Lines(
    "ksef", "invoice_line", INVOICES, count=_lines, key=lambda number, at: (ksef_number(number), str(at + 1))
)
PURCHASE_LINES = _Lines("ksef", "purchase_line", PURCHASES, count=_bought_lines, key=LINES.key)


@lru_cache(65536)
def company(seed: int, company_id: int) -> Company:
    """The company as it first was."""
    return make_company(seed, company_id)


def is_nip(number: str) -> bool:
    """FA(3) takes no NIP with two zeros after its first digit; such a buyer has another number to it."""
    return number[1:3] != "00"


def _crc_8(content: bytes) -> int:
    """Polynomial 0x07, starting from 0."""
    crc = 0
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1) ^ 0x107 if crc & 0x80 else crc << 1
    return crc
