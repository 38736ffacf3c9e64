"""The page of costs: a month's systems, their budgets, and what one of them costs for what."""

from __future__ import annotations

from datetime import date

import psycopg

from onefold.catalog.prices import PriceList
from onefold.cost.price_list import apply_prices
from tests.console.conftest import Ask
from tests.console.figures import shown

PRICES = {
    "currency": "PLN",
    "prices": {"requests": [{"price": 20, "valid_from": date(2026, 3, 1)}]},
    "systems": {"crm": {"licence": [{"price": 40, "valid_from": date(2026, 3, 1)}], "budget": {"month": 50}}},
}


def test_a_month_is_shown_with_its_systems_their_budgets_and_what_has_no_price(
    warehouse_url: str, console: Ask
) -> None:
    assert "No prices have been applied" in console("analyst").get("/cost").text
    with psycopg.connect(warehouse_url) as owner:
        apply_prices(owner, "os:tester", PriceList.model_validate(PRICES))
        owner.execute(
            "insert into ops.load (system, stream, started_at, window_start, window_end, dag_id, run_id, actor, state,"
            " error, cpu_seconds) values ('crm', 'account<b>', '2026-03-02 12:00Z', now(), now() + '1 hour', 'd', 'r',"
            " 'a', 'rejected', 'abandoned: run r ended', 7200)"
        )
        owner.execute(
            "insert into ops.usage (load_id, system, stream, status, requests, bytes, milliseconds)"
            " select load_id, system, stream, '200', 1000, 1, 1 from ops.load"
        )
    page = console("analyst").get("/cost?month=2026-03").text
    assert shown(page)["total"] == "60.00"
    assert shown(page, "//tr[@data-system='crm']") == {
        "amount": "60.00",
        "budget": "50.00",
        "used": "120 %",
        "missing": "what the last attempts of dead loads used (1)",
    }
    page = console("engineer").get("/cost?month=2026-03&system=crm").text
    assert "account<b>" not in page
    assert shown(page, "//tr[contains(@data-use, 'requests')]") == {
        "quantity": "1,000.000",
        "amount": "20.00",
        "unpriced": "",
    }
    assert shown(page, "//tr[contains(@data-use, 'cpu')]")["unpriced"] == "2.000"
    assert console("engineer").get("/cost?month=March").status_code == 400
