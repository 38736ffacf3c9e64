"""The bill once more, by another way: each row of the ledger by itself, in fractions, by the prices of the YAML."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import psycopg

from onefold.catalog.prices import PriceList, Prices

Part = tuple[str, str, str | None, str]
"""Month, system, stream and kind."""


def recount(connection: psycopg.Connection, prices: PriceList, today: date) -> dict[Part, Fraction]:
    """What each part costs; a part that no price is for is left out."""
    bill: dict[Part, Fraction] = defaultdict(Fraction)
    for day, system, stream, kind, share in [*_used(connection, prices.timezone), *_licensed(prices, today)]:
        price = _price_on(prices, system, kind, day)
        if price is not None:
            bill[f"{day:%Y-%m}", system, stream, kind] += price * share
    return dict(bill)


def _price_on(prices: PriceList, system: str, kind: str, day: date) -> Fraction | None:
    own = prices.systems.get(system)
    for source in (own, prices.prices):
        for each in getattr(source or Prices(), kind, []):
            if each.valid_from <= day <= (each.valid_to or date.max):
                return Fraction(each.price)
    return None


def _used(connection: psycopg.Connection, zone: str) -> Iterator[tuple[date, str, str | None, str, Fraction]]:
    for at, system, stream, requests in connection.execute(
        "select coalesce(l.started_at, r.started_at), u.system, u.stream, u.requests from ops.usage u"
        " left join ops.load l on l.load_id = u.load_id"
        " left join ops.reconciliation r on r.reconciliation_id = u.reconciliation_id where u.api_client is null"
    ).fetchall():
        yield at.astimezone(ZoneInfo(zone)).date(), system, stream, "requests", Fraction(requests, 1000)
    for at, system, stream, seconds in connection.execute(
        "select started_at, system, stream, cpu_seconds from ops.load where cpu_seconds is not null"
    ).fetchall():
        yield at.astimezone(ZoneInfo(zone)).date(), system, stream, "cpu", Fraction(seconds) / 3600
    for day, system, stream, size in connection.execute(
        "select day, system, stream, bytes from ops.stream_storage"
    ).fetchall():
        yield day, system, stream, "storage", Fraction(size, 10**9 * monthrange(day.year, day.month)[1])
    for at, system, read, written in connection.execute(
        "select reserved_at, system, input_tokens, output_tokens from ops.llm_call"
    ).fetchall():
        for kind, tokens in (("input_tokens", read), ("output_tokens", written)):
            yield at.astimezone(ZoneInfo(zone)).date(), system, None, kind, Fraction(tokens, 10**6)


def _licensed(prices: PriceList, today: date) -> Iterator[tuple[date, str, None, str, Fraction]]:
    for system, own in prices.systems.items():
        for each in own.licence:
            day = each.valid_from
            while day <= min(each.valid_to or today, today):
                yield day, system, None, "licence", Fraction(1, monthrange(day.year, day.month)[1])
                day += timedelta(days=1)
