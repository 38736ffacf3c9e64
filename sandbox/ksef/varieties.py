"""Which of KSeF's invoices are of a less common but lawful kind: decided by a hash of their own number, so that no
other thing of the world moves.

Amounts, numbers and parties stay those of the invoice; only how it is written differs, and what it says besides.
"""

from __future__ import annotations

import hashlib
from datetime import date

SALES = (
    "simplified", "gross_prices", "advance", "settlement", "eu_buyer", "other_buyer", "buyer_without_id", "instalments",
    "factored", "charges", "deductions", "margin", "one_stop_shop", "paid_in_part", "third_parties",
    "contract_currency",
)  # fmt: skip
PURCHASES = (
    "simplified",
    "gross_prices",
    "farmer",
    "instalments",
    "charges",
    "margin",
    "paid",
    "paid_in_part",
    "advance",
)
POLISH_ONLY = ("simplified", "margin", "farmer")
"""Kinds that are written in zlotys only."""

TYPES = {"simplified": "Upr", "advance": "Zal", "settlement": "Roz", "farmer": "VatRr"}
"""KSeF's invoiceType where it is not Vat."""


def roll(key: str, what: str, sides: int) -> int:
    """A number below `sides` that the key decides."""
    return int.from_bytes(hashlib.sha256(f"{key}:{what}".encode()).digest()[:6]) % sides


def variety(key: str, currency: str, *, bought: bool) -> str | None:
    """The kind of the invoice with this KSeF number; None for two thirds of them, which are the common one."""
    kinds = PURCHASES if bought else SALES
    place = roll(key, "variety", 3 * len(kinds))
    chosen = kinds[place] if place < len(kinds) else None
    return None if chosen in POLISH_ONLY and currency != "PLN" else chosen


def is_older_form(key: str, issued: date) -> bool:
    """Whether it is in the form FA(2), as were those of the first years."""
    return issued.year == 2024 and roll(key, "form", 4) == 0


def is_rounded(key: str) -> bool:
    """Whether a supplier rounds the sum of an invoice of the common kind."""
    return roll(key, "rounded", 25) == 0


def shows_states(key: str) -> bool:
    """Whether a correction shows its lines before and after, and not the difference."""
    return roll(key, "states", 2) == 0
