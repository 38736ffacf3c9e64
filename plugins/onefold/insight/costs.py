"""What integrations cost in a month, and what of it could not be measured or has no price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import psycopg
from psycopg.rows import class_row

UNITS = {
    "requests": "requests",
    "cpu": "hours of CPU",
    "storage": "GB-months",
    "input_tokens": "tokens",
    "output_tokens": "tokens",
    "licence": "months",
}


@dataclass(frozen=True, slots=True)
class CostLine:
    """What one stream has used of one kind in a month and what that costs; stream None: the whole system.

    `unpriced` is the part of the quantity that no price is for, `days` on how many days there is a figure.
    """

    system: str
    stream: str | None
    kind: str
    quantity: Decimal
    amount: Decimal
    unpriced: Decimal
    days: int

    @property
    def unit(self) -> str:
        """What the quantity counts."""
        return UNITS[self.kind]


@dataclass(frozen=True, slots=True)
class SystemCost:
    """One system's month. `used`: percent of the budget; `uncounted`: loads that were left half done, of which the last
    attempt's requests and CPU time are missing; `without_cpu`: loads of before CPU time was measured."""

    system: str
    amount: Decimal
    budget: Decimal | None
    uncounted: int
    without_cpu: int

    @property
    def used(self) -> Decimal | None:
        return None if self.budget is None else 100 * self.amount / self.budget


@dataclass(frozen=True, slots=True)
class Bill:
    """A month: its sum and its parts, which add up to it. `currency` None: no prices have been applied."""

    month: date
    currency: str | None
    timezone: str | None
    systems: Sequence[SystemCost]
    lines: Sequence[CostLine]

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal(0))

    @property
    def unpriced(self) -> Sequence[CostLine]:
        """Lines of which a part has no price."""
        return [line for line in self.lines if line.unpriced]


_LINES = """
select system, stream, kind, quantity, amount, unpriced, days from ops.cost_month
where month = %(month)s and (%(system)s::text is null or system = %(system)s)
order by system, amount desc, stream nulls first, kind
"""
_UNMEASURED = """
select l.system, count(*) filter (where l.state = 'rejected' and l.error like 'abandoned:%%') as uncounted,
    count(*) filter (where l.cpu_seconds is null) as without_cpu
from ops.load as l
where l.started_at >= %(month)s::timestamp at time zone %(zone)s
    and l.started_at < (%(month)s::timestamp + interval '1 month') at time zone %(zone)s
group by l.system
"""


def bill(connection: psycopg.Connection, month: date, system: str | None = None) -> Bill:
    """The month that begins with the day, of all systems or one; the present month's as far as it has come."""
    said = connection.execute("select currency, timezone from ops.price_list").fetchone()
    currency, timezone = said or (None, None)
    about = {"month": month, "system": system, "zone": timezone or "Europe/Warsaw"}
    with connection.cursor(row_factory=class_row(CostLine)) as cursor:
        lines = cursor.execute(_LINES, about).fetchall()
    missing = {name: (left, old) for name, left, old in connection.execute(_UNMEASURED, about)}
    budgets: dict[str, Decimal] = dict(connection.execute("select system, month from ops.budget").fetchall())
    named = {line.system for line in lines} | missing.keys() | budgets.keys()
    costs = [
        SystemCost(
            name,
            sum((line.amount for line in lines if line.system == name), Decimal(0)),
            budgets.get(name),
            *missing.get(name, (0, 0)),
        )
        for name in named
        if system in (None, name)
    ]
    return Bill(month, currency, timezone, sorted(costs, key=lambda each: (-each.amount, each.system)), lines)


def months(connection: psycopg.Connection) -> list[date]:
    """The months of which there is anything, the newest first."""
    return [month for (month,) in connection.execute("select distinct month from ops.cost_month order by 1 desc")]
