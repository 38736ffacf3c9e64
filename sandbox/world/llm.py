"""What our language models use: one row a day and model, a pure function of the seed and the row's number."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

FIRST_DAY = date(2023, 1, 1)
MODELS = 2  # rows a day
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Usage:
    """`input_tokens` counts those that were not in a cache. `place` tells which model it was, from 0."""

    number: int
    day: date
    place: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    requests: int


def usages(companies: int) -> int:
    """How many rows a world of so many companies has: four months to two and a half years."""
    return max(240, min(companies, 1800))


def day_of(number: int) -> date:
    return FIRST_DAY + timedelta(days=number // MODELS)


def usage(seed: int, provider: str, number: int) -> Usage:
    """Row `number` of what we used at a provider."""
    rng = random.Random(f"{seed}:{provider}:usage:{number}")
    requests = rng.randrange(20, 900)
    return Usage(
        number=number,
        day=day_of(number),
        place=number % MODELS,
        input_tokens=requests * rng.randrange(300, 2_000),
        cached_tokens=requests * rng.randrange(0, 300),
        output_tokens=requests * rng.randrange(50, 700),
        requests=requests,
    )


def dollars(tokens: int, price: Decimal) -> Decimal:
    """What so many tokens cost at so much a million."""
    return (tokens * price / MILLION).quantize(Decimal("0.000001"))
