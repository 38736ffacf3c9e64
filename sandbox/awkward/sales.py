"""Awkward records of sales and purchases: orders, invoices, payments, products."""

from __future__ import annotations

import re
from collections.abc import Callable

from sandbox.awkward.kind import Finder, Found, Kind, any_of, entries, parts, rows, with_code
from sandbox.ksef.facts import Facts
from sandbox.ksef.varieties import shows_states
from sandbox.shop.content import is_discounted, taxes_included
from sandbox.stripe.api import comes_late, names_no_object
from sandbox.stripe.sales import Sale, sale
from sandbox.world import Entry, World
from sandbox.world.book import key_text
from sandbox.world.business import Invoice, has_article_number, order

OWN_EXPONENT = ("isk", "ugx", "mga")
_SOMEBODY_ELSES_TOO = re.compile(r"\d+/2026|PO \d+")


def _invoices(is_one: Callable[[Facts], bool]) -> Finder:
    """KSeF's sound invoices and purchases, with their lines."""

    def found(world: World) -> Found:
        for stream, bought in (("ksef.invoice", False), ("ksef.purchase", True)):
            chosen = {
                entry.number
                for entry in entries(world, stream)
                if not entry.broken and is_one(Facts(world.seed, world.base_size, entry, bought))
            }
            for name in (stream, f"{stream}_line"):
                yield from ((name, key_text(each.key)) for each in entries(world, name) if each.number in chosen)

    return found


def _of_variety(*varieties: str) -> Finder:
    return _invoices(lambda facts: facts.variety in varieties)


def _purchases(is_one: Callable[[Invoice], bool]) -> Finder:
    return _invoices(lambda facts: facts.bought and is_one(facts.of))


def _charges(is_one: Callable[[Sale], bool]) -> Finder:
    return rows("stripe.charge", lambda world, entry: is_one(sale(world.seed, entry.number, world.base_size)))


def _taken_orders(is_one: Callable[[str | None], bool]) -> Finder:
    """The orders that the CRM and SAP took, by the customer's number."""

    def ordered(world: World, entry: Entry) -> bool:
        return is_one(order(world.seed, entry.number, companies=world.base_size).po_number)

    return any_of(rows("salesforce.order", ordered), rows("sap.sales_order", ordered))


KINDS = (
    Kind(
        "no customer's number",
        "an order without the customer's number of it",
        _taken_orders(lambda number: number is None),
    ),
    Kind(
        "same customer's number",
        "an order whose number by the customer another customer chose too (1/2026)",
        _taken_orders(lambda number: number is not None and _SOMEBODY_ELSES_TOO.fullmatch(number) is not None),
    ),
    Kind(
        "date infinite",
        "an ERP's order of the day infinity; the row waits in quarantine",
        with_code("erp.zamowienie", "date_infinite"),
    ),
    Kind(
        "year of five digits",
        "an ERP's invoice due in the year 20260; the value is withheld",
        with_code("erp.faktura", "due_in_year_20260"),
    ),
    Kind(
        "not a number",
        "an article whose price in the ERP is NaN; the value is withheld",
        with_code("erp.towar", "price_not_a_number"),
    ),
    Kind(
        "no article number",
        "a product in the CRM without StockKeepingUnit",
        rows("salesforce.product", lambda _, entry: not has_article_number(entry.number)),
    ),
    Kind(
        "tax in the price",
        "a shop's order, or a line of it, at prices with the tax in them",
        any_of(
            rows("shop.order", lambda _, entry: taxes_included(entry.number)),
            parts("shop.order_line", lambda _, part: taxes_included(part.number)),
        ),
    ),
    Kind(
        "discount",
        "a line of a shop's order with discounts",
        parts("shop.order_line", lambda _, part: is_discounted(part.number)),
    ),
    Kind("simplified invoice", "an invoice that says neither net nor VAT (UPR)", _of_variety("simplified")),
    Kind("gross prices", "an invoice whose lines have gross prices only (P_9B, P_11A)", _of_variety("gross_prices")),
    Kind(
        "advance",
        "an invoice for an advance (ZAL) or its settlement (ROZ), with the lines of the order",
        _of_variety("advance", "settlement"),
    ),
    Kind(
        "special scheme",
        "an invoice under a margin scheme or the one-stop shop",
        _of_variety("margin", "one_stop_shop"),
    ),
    Kind(
        "foreign buyer",
        "an invoice to a buyer with an EU VAT number, another country's number or none",
        _of_variety("eu_buyer", "other_buyer", "buyer_without_id"),
    ),
    Kind(
        "terms of payment",
        "an invoice with several due days, charges, deductions, a contract's currency, or paid already or in part",
        _of_variety("instalments", "charges", "deductions", "contract_currency", "paid", "paid_in_part"),
    ),
    Kind("third party", "an invoice that names a factor or a third party", _of_variety("factored", "third_parties")),
    Kind(
        "other form",
        "an invoice in the form FA(2), or a farmer's in FA_RR",
        _invoices(lambda facts: facts.form != "FA (3)"),
    ),
    Kind(
        "lines before and after",
        "a correction that shows its lines before (StanPrzed) and after",
        _invoices(lambda facts: facts.of.corrects is not None and shows_states(facts.key)),
    ),
    Kind(
        "number of the corrected",
        "a supplier's correction with the number of the invoice that it corrects",
        _purchases(lambda of: of.corrects is not None and not of.reference.startswith("KOR")),
    ),
    Kind(
        "number of every supplier",
        "a purchase numbered 1 of its year, as another supplier's is",
        _purchases(lambda of: of.corrects is None and of.reference.startswith("1/")),
    ),
    Kind(
        "parts do not sum",
        "a purchase whose net and VAT do not give its gross, which KSeF does not check; published with a warning",
        _invoices(lambda facts: facts.gross != facts.of.order.gross),
    ),
    Kind(
        "own exponent",
        "a payment in a currency whose smallest unit is not ISO's with Stripe (ISK, UGX, MGA)",
        _charges(lambda sold: sold.currency in OWN_EXPONENT),
    ),
    Kind(
        "authorised only",
        "a charge that succeeded and was not captured",
        _charges(lambda sold: not sold.captured),
    ),
    Kind(
        "late refund",
        "a refund 60 days after its charge, which is no longer read again",
        rows("stripe.refund", lambda _, entry: comes_late(entry.key)),
    ),
    Kind(
        "object without an id",
        "an event about something that has no id",
        rows("stripe.event", lambda _, entry: names_no_object(entry.key)),
    ),
)  # fmt: skip
