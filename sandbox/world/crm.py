"""Whom the sellers talk to, and what they hope to sell: people at the customers, and the opportunity before an order.

Pure functions of the seed, the number and the revision, as in business.py.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from sandbox.world import words
from sandbox.world.business import order
from sandbox.world.spelling import slug

POSITIONS = ("Prezes zarządu", "Dyrektor handlowy", "Kierownik zakupów", "Główna księgowa", "Specjalista ds. zakupów")
STAGES = (
    ("Prospecting", 10), ("Qualification", 20), ("Proposal/Price Quote", 75), ("Closed Won", 100), ("Closed Lost", 0),
)  # fmt: skip
SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Trade Show")


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody at the company with the same number; `phone` and `mobile` are E.164 or None."""

    number: int
    company: int
    first_name: str
    last_name: str
    email: str
    phone: str | None
    mobile: str | None
    position: str


@dataclass(frozen=True, slots=True)
class Opportunity:
    """The chance of the order with the same number."""

    number: int
    company: int
    name: str
    stage: str
    probability: int
    amount: Decimal
    currency: str
    close: date
    source: str


@lru_cache(65536)
def contact(seed: int, number: int, revision: int = 1) -> Contact:
    """The person at company `number`; a revision gives another mobile and now and then another position."""
    rng = random.Random(f"{seed}:contact:{number}")
    first, last = rng.choice(words.FIRST_NAMES), rng.choice(words.SURNAMES)
    reached = rng.random() < 0.8
    changed = random.Random(f"{seed}:contact:{number}:{revision}")
    return Contact(
        number=number,
        company=number,
        first_name=first,
        last_name=last,
        email=f"{slug(first)}.{slug(last)}@klient{number}.example.pl",
        phone=f"+4822{rng.randrange(10_000_000):07d}" if reached else None,
        mobile=f"+4850{changed.randrange(10_000_000):07d}",
        position=changed.choice(POSITIONS),
    )


def opportunity(seed: int, number: int, revision: int = 1, *, companies: int = 2000) -> Opportunity:
    """The opportunity before order `number`; a revision moves its stage."""
    rng = random.Random(f"{seed}:opportunity:{number}")
    of = order(seed, number, companies=companies)
    stage, probability = STAGES[(rng.randrange(len(STAGES)) + revision - 1) % len(STAGES)]
    return Opportunity(
        number=number,
        company=of.company,
        name=f"Oferta {number + 1:06d}",
        stage=stage,
        probability=probability,
        amount=of.net,
        currency=of.currency,
        close=of.day - timedelta(days=rng.randrange(0, 21)),
        source=rng.choice(SOURCES),
    )
