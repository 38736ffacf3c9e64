"""What a charge is for: the payment of an invoice, or a sale without one, in a currency whose unit is Stripe's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zlib import crc32

from sandbox.world.business import invoice, payment

CURRENCIES = ("isk", "ugx", "mga", "kwd", "jpy", "huf", "eur")  # of sales without an invoice


def minor(amount: Decimal) -> int:
    """In the smallest unit of a currency with two places."""
    return int(amount * 100)


def paid(seed: int, number: int, companies: int) -> bool:
    return payment(seed, number, companies=companies) is not None


def sold(seed: int, number: int, companies: int) -> bool:
    return paid(seed, number, companies) or crc32(f"sale {number}".encode()) % 2 == 0


@dataclass(frozen=True, slots=True)
class Sale:
    """What a charge is for. Amounts are in the currency's smallest unit as Stripe counts it."""

    amount: int
    currency: str
    day: date
    method: str
    invoice: str | None
    captured: bool = True
    refunds: tuple[int, ...] = ()


def sale(seed: int, number: int, companies: int) -> Sale:
    """The sale behind charge `number`. Where nobody has paid the invoice, half of the numbers are sales without one:
    authorised and not captured, or given back in full."""
    if by_card := payment(seed, number, companies=companies):
        amount = minor(by_card.amount)
        refunds = (amount // 100,) * 2 if number % 8 == 3 else ()  # a little, for goodwill
        method = "p24" if by_card.method == "transfer" else by_card.method
        return Sale(
            amount,
            by_card.invoice.order.currency.lower(),
            by_card.day,
            method,
            by_card.invoice.reference,
            refunds=refunds,
        )
    of, chance = invoice(seed, number, companies=companies), crc32(f"sale {number}".encode())
    amount = minor(of.order.gross) // 200 * 200  # half of it is still a whole krona
    refunds = (amount // 2,) * 2 if number % 8 == 3 else ()
    return Sale(amount, CURRENCIES[chance // 2 % 7], of.issued, "card", None, number % 8 == 3, refunds)
