"""The marts right after a demo, counted by hand against what the made-up company ordered, invoiced and was paid."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal

import pytest

from sandbox.world import business
from tests.scheduler.installation import Installation

pytestmark = pytest.mark.scheduler
SEED = 7


def companies(here: Installation) -> int:
    return here.sandbox("GET", "truth")["companies"]


def documents(size: int) -> list[business.Invoice]:
    """Every invoice and correction of the base world."""
    numbers = range(business.orders(size))
    found = [business.invoice(SEED, number, companies=size) for number in numbers]
    return found + [c for n in numbers if (c := business.correction(SEED, n, companies=size))]


def test_revenue_by_month_is_what_was_invoiced(here: Installation) -> None:
    size = companies(here)
    expected: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for invoice in documents(size):
        sums = expected[invoice.order.currency]
        sums[0 if invoice.corrects is None else 1] += 1
        sums[2] += invoice.order.net
    rows = here.rows(
        "select currency, sum(invoices) as i, sum(corrections) as c, sum(net) as net, sum(net_pln) as pln"
        " from marts.revenue_by_month group by currency"
    )
    assert {row["currency"]: [row["i"], row["c"], row["net"]] for row in rows} == expected
    (polish,) = [row for row in rows if row["currency"] == "PLN"]
    assert polish["pln"] == polish["net"]
    (foreign,) = [row for row in rows if row["currency"] == "EUR"]
    assert Decimal("3.5") < foreign["pln"] / foreign["net"] < Decimal("5.5")


def test_every_order_is_there_once_with_the_status_of_its_invoice_and_payment(here: Installation) -> None:
    size = companies(here)
    truth = here.sandbox("GET", "truth")["records"]
    paid_in = {
        (r["system"], r["number"]): r["broken"]
        for r in truth
        if (r["system"], r["stream"]) in (("stripe", "charge"), ("accounting", "bank_line"))
    }
    unsound = {r["number"] // 2 for r in truth if (r["system"], r["stream"]) == ("erp", "faktura") and r["broken"]}
    rows = here.rows(
        "select order_number, invoice_number, invoiced_gross, paid, payment_status as s from marts.order_status"
    )
    (golden,) = here.rows("select count(*) as n from conformed.order")
    assert len(rows) == len({row["order_number"] for row in rows}) == golden["n"] > business.orders(size) * 0.9
    unnamed = [row for row in rows if row["order_number"] is None]  # its number is withheld, so no invoice names it
    assert len(unnamed) == sum(r.get("withheld") == "name_missing" for r in truth if r["stream"] == "order")
    assert all(row["s"] == "not invoiced" for row in unnamed)
    judged: Counter[str] = Counter()
    for row in rows:
        if row in unnamed:
            continue
        number = int(row["order_number"].rpartition("/")[2]) - 1
        invoice, payment = (each(SEED, number, companies=size) for each in (business.invoice, business.payment))
        correction = business.correction(SEED, number, companies=size)
        if row["s"] == "not invoiced":  # the invoice waits in quarantine where its order is named; the JPK names none
            assert number in unsound, row
            continue
        gross = invoice.order.gross + (correction.order.gross if correction else 0)
        assert (row["invoice_number"], row["invoiced_gross"]) == (invoice.reference, gross)
        system = "stripe" if number % 4 == 3 else "accounting"
        if payment and paid_in.get((system, number), "unknown") is None:
            assert row["paid"] == payment.amount, row
        elif not payment:
            assert (row["paid"], row["s"]) in ((0, "overdue"), (0, "unpaid"), (0, "returned")), row
        judged[row["s"]] += 1
    assert judged["paid"] > judged["overdue"] > 0


def test_receivables_are_the_rest_of_the_polish_invoices(here: Installation) -> None:
    (owed,) = here.rows("select sum(owed_pln) as pln, count(*) as n from marts.receivables")
    (rest,) = here.rows(
        "select (select sum(gross_amount * case when currency = 'PLN' then 1 else 4.3 end) from conformed.invoice)"
        " - (select sum(p.amount * case when p.currency = 'PLN' then 1 else 4.3 end) from conformed.payment p"
        "    join conformed.invoice using (invoice_number) where p.status = 'paid') as pln"
    )
    assert abs(owed["pln"] - rest["pln"]) < rest["pln"] / 20  # the rate of each day is not 4.3
    assert owed["n"] > 20


def test_every_company_has_a_profile_with_when_each_register_answered(here: Installation) -> None:
    (counted,) = here.rows(
        "select count(*) as n, (select count(*) from conformed.company) as companies, count(vat_status) as vat,"
        " count(vat_asked_at) as asked, count(beneficial_owners) as owned, count(eu_vat_valid) as eu"
        " from marts.kyc_profile"
    )
    assert counted["n"] == counted["companies"] > 100
    assert counted["asked"] >= counted["vat"] > 100
    assert min(counted["owned"], counted["eu"]) > 10


def test_headcount_is_who_works_here_at_the_end_of_the_month(here: Installation) -> None:
    (shown,) = here.rows("select sum(headcount) as n from marts.headcount where month = '2025-06-01'")
    (counted,) = here.rows(
        "select count(*) as n from conformed.employee where hired_on <= '2025-06-30'"
        " and (left_on is null or left_on > '2025-06-30')"
    )
    assert shown["n"] == counted["n"] > 30


def test_ai_cost_is_in_whole_money_by_project(here: Installation) -> None:
    rows = here.rows(
        "select provider, sum(cost) as cost, sum(input_tokens) as sent from marts.ai_cost_by_project group by 1"
    )
    assert {row["provider"] for row in rows} == {"openai", "anthropic"}
    (cents,) = here.rows(  # an amount that nobody understands is withheld
        "select sum((_payload ->> 'amount')::numeric) as n from staging.anthropic__cost__current"
        " where pg_input_is_valid(_payload ->> 'amount', 'numeric')"
    )
    (anthropic,) = [row for row in rows if row["provider"] == "anthropic"]
    assert anthropic["cost"] == cents["n"] / 100
    assert all(row["sent"] > 0 for row in rows)
