"""What the migration of a look-up will take, from some days of the feed that names what was changed."""

from __future__ import annotations

import math
from datetime import timedelta

from onefold.catalog.system import System
from onefold.connectors.counting import CountDay
from onefold.http.limit import DailyQuota, rate
from onefold.migration.plan import Estimate, Wish

DAYS = 12
"""How many days of the window are asked about, at most."""


def sampled(count: CountDay, system: System, wish: Wish) -> Estimate:
    """As many records a day as on some days that are spread evenly over the window, and one request for each of them.

    A company that was named on several days is counted for each, and asked about once.
    """
    days = math.ceil((wish.end - wish.start) / timedelta(days=1))
    asked = min(days, DAYS)
    named = sum(count(wish.start.date() + timedelta(days=number * days // asked)) for number in range(asked))
    records = math.ceil(named / asked * days)
    requests = records + days
    seconds = round(requests / _per_second(wish.rate, system), 1)
    return Estimate(records, requests, seconds, by=f"{asked} days of its feed")


def _per_second(own: str | None, system: System) -> float:
    """Requests a second that the slowest of the rates allows."""
    limits = [rate(text) for text in ([own] if own else system.limits.rate)]
    return min(each.count / (86_400 if isinstance(each, DailyQuota) else each.seconds) for each in limits)
