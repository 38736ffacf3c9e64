"""catalog/prices.yaml: what is wrong is said with its line and what to write instead."""

from __future__ import annotations

from decimal import Decimal

import pytest

from onefold.catalog.prices import read_prices
from onefold.catalog.yaml_file import CatalogError
from tests.catalog.conftest import Checkout

PRICES = """\
currency: PLN
timezone: Europe/Warsaw
prices:
  requests:
    - {price: 0.1, valid_from: 2026-01-01, valid_to: 2026-06-30}
    - {price: 0.2, valid_from: 2026-07-01}
systems:
  shop:
    licence: [{price: 400.05, valid_from: 2026-01-01}]
    budget: {month: 500}
"""


def test_a_checkout_without_prices_is_right_and_prices_nothing(checkout: Checkout) -> None:
    assert read_prices(checkout.read().systems, checkout.root) is None


def test_prices_are_exact_decimals(checkout: Checkout) -> None:
    checkout.write("catalog/prices.yaml", PRICES)
    prices = read_prices(checkout.read().systems, checkout.root)
    assert prices is not None
    assert [each.price for each in prices.prices.requests] == [Decimal("0.1"), Decimal("0.2")]
    assert prices.systems["shop"].licence[0].price == Decimal("400.05")


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        (
            "valid_to: 2026-06-30",
            "valid_to: 2026-07-01",
            "prices.yaml:6: two prices of requests hold on 2026-07-01; end the one from 2026-01-01",
        ),
        (", valid_to: 2026-06-30", "", "prices.yaml:6: two prices of requests hold on 2026-07-01"),
        ("valid_to: 2026-06-30", "valid_to: 2025-06-30", "prices.yaml:5: valid_to 2025-06-30 is before valid_from"),
        ("  shop:", "  shp:", 'prices.yaml:8: unknown system "shp"; did you mean "shop"?'),
        ("Europe/Warsaw", "Warsaw", "prices.yaml:2: 'Warsaw' is no time zone"),
        ("currency: PLN", "currency: zł", "prices.yaml:1: currency"),
        ("price: 0.1,", "price: -1,", "prices.yaml:5: price"),
        ("month: 500", "month: 500, alert_at: [0]", "prices.yaml:10: alert_at, item 1"),
        ("    licence:", "    license:", 'prices.yaml:9: unknown key "license"; did you mean "licence"?'),
    ],
)
def test_a_mistake_is_said_with_its_line_and_remedy(checkout: Checkout, old: str, new: str, mistake: str) -> None:
    assert old in PRICES
    checkout.write("catalog/prices.yaml", PRICES.replace(old, new, 1))
    with pytest.raises(CatalogError) as caught:
        read_prices(checkout.read().systems, checkout.root)
    assert [f"{each.file.name}:{each.line}: {each.text}"[: len(mistake)] for each in caught.value.mistakes] == [mistake]
