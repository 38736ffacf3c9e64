"""What is done of costs once a day: prices of the catalogue apply, storage is measured, budgets are checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

import psycopg

from onefold.catalog.prices import PriceList
from onefold.catalog.system import System
from onefold.cost.budget_alerts import check_budgets
from onefold.cost.price_list import apply_prices
from onefold.cost.storage import measure_storage

TIMEZONE = "Europe/Warsaw"
"""Whose days count where there is no price list."""


def company_zone(prices: PriceList | None) -> ZoneInfo:
    """The company's time zone: whose days count."""
    return ZoneInfo(prices.timezone if prices else TIMEZONE)


def company_day(prices: PriceList | None, now: datetime) -> date:
    """The day that it is there."""
    return now.astimezone(company_zone(prices)).date()


def settle_costs(
    connection: psycopg.Connection,
    actor: str,
    systems: Mapping[str, System],
    prices: PriceList | None,
    now: datetime,
) -> Mapping[str, object]:
    """All of it; doing it again the same day changes nothing. Returns figures for the UI."""
    today = company_day(prices, now)
    applied = apply_prices(connection, actor, prices)
    measured = measure_storage(connection, systems, today)
    return {"prices applied": applied, "streams measured": measured, "budgets": check_budgets(connection, actor, today)}
