"""What the migration of a look-up will take, from some days of the feed that names what was changed."""

from __future__ import annotations

import math
from datetime import timedelta

from onefold.catalog.system import System
from onefold.connectors.counting import CountDay
from onefold.http.limit import kept, seconds_of
from onefold.migration.plan import Estimate
from onefold.migration.request import MigrationRequest

DAYS = 14
"""How many days of the window are asked about, at most: of two weeks, or each day of the week twice."""


def estimate_from_feed(count: CountDay, system: System, request: MigrationRequest) -> Estimate:
    """As many records a day as on some days that are spread evenly over the window, and one request for each of them.

    The days are no whole weeks apart, so that they are not all Sundays.
    A company that was named on several days is counted for each, and asked about once.
    """
    days = math.ceil((request.end - request.start) / timedelta(days=1))
    asked = min(days, DAYS)
    apart = days // asked
    apart -= apart % 7 == 0
    named = sum(count(request.start.date() + timedelta(days=number * apart)) for number in range(asked))
    records = math.ceil(named / asked * days)
    requests = records + days
    seconds = seconds_of(requests, kept(system.limits.rate, request.rate))
    return Estimate(records, requests, seconds, by=f"{asked} days of its feed")
