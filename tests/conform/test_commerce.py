"""Payments, orders and invoices as the world sends them, through the real mapping, dbt and marts in one run."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from tests.conform.commerce import NIP_A, NIP_B, OTHER_NIP, OUR_NIP
from tests.conform.published import Published

Row = dict[str, object]


@pytest.fixture
def conformed(published: Published) -> Iterator[psycopg.Connection[Row]]:
    """A session whose rows are dictionaries."""
    with psycopg.connect(published.url, autocommit=True, row_factory=dict_row) as connection:
        yield connection


def rows(connection: psycopg.Connection[Row], table: str, key: str, *columns: str) -> dict[object, tuple[object, ...]]:
    """The columns of every row, by the column `key`."""
    query = sql.SQL("select * from {}").format(sql.Identifier(*table.split(".")))
    return {row[key]: tuple(row[column] for column in columns) for row in connection.execute(query)}


def test_charges_are_counted_in_stripes_own_units_and_told_apart(conformed: psycopg.Connection[Row]) -> None:
    found = rows(
        conformed, "conformed.payment", "payment_key", "amount", "authorised_amount", "refunded_amount", "status"
    )
    assert found == {
        "ch_isk": (5, 5, 0, "paid"),
        "ch_ugx": (1000, 1000, 0, "paid"),
        "ch_mga": (5000, 5000, 0, "paid"),
        "ch_kwd": (Decimal("5.12"), Decimal("5.12"), 0, "paid"),
        "ch_authorised": (0, 99, 0, "authorised"),
        "ch_released": (0, 99, 99, "released"),
        "ch_returned": (7, 7, 7, "refunded"),
        "ch_old": (123, 123, 45, "paid"),
    }


def test_a_refund_of_an_old_charge_is_a_record_of_its_own_and_counts_into_its_payment(
    conformed: psycopg.Connection[Row],
) -> None:
    payments = rows(conformed, "conformed.payment", "payment_key", "payment_id")
    found = rows(conformed, "conformed.refund", "refund_key", "amount", "currency", "status", "payment_id")
    assert found == {
        "re_1": (30, "PLN", "refunded", *payments["ch_old"]),
        "re_2": (15, "PLN", "refunded", *payments["ch_old"]),
        "re_3": (2, "ISK", None, *payments["ch_isk"]),
    }


def test_orders_of_two_customers_with_one_number_are_two_and_each_has_its_invoice(
    conformed: psycopg.Connection[Row],
) -> None:
    found = rows(
        conformed, "marts.order_status", "order_number", "customer_order_number", "invoice_number", "invoiced_gross"
    )
    assert {number: row for number, row in found.items() if not str(number).startswith("#")} == {
        "00000101": ("1/2026", "FV/A", 123),
        "00000102": ("1/2026", "FV/B", 246),
        "00000103": (None, "FV/C", 369),
        "17": (None, None, None),
        "ZAM/17": (None, None, None),
    }


def test_orders_and_lines_of_two_systems_with_one_number_are_two(conformed: psycopg.Connection[Row]) -> None:
    orders = rows(conformed, "conformed.order", "source_of_truth", "order_key", "net_amount")
    assert (orders["sap"], orders["erp"]) == (("17", 5), ("17", 7))
    lines = rows(conformed, "conformed.order_line", "source_of_truth", "line_key", "quantity")
    assert (lines["sap"], lines["erp"]) == (("17|10", 2), ("17|10", 3))


def test_net_amounts_of_a_shop_whose_prices_include_taxes_are_without_them(conformed: psycopg.Connection[Row]) -> None:
    orders = rows(conformed, "conformed.order", "order_number", "net_amount")
    assert [orders[f"#o{n}"] for n in (1, 2, 3, 4)] == [(180,), (180,), (180,), (Decimal("99.99"),)]
    lines = rows(conformed, "conformed.order_line", "line_key", "net_amount")
    assert [lines[f"o1|l{n}"] for n in (1, 2, 3, 4)] == [
        (180,),
        (Decimal("255.25"),),
        (Decimal("221.40"),),
        (Decimal("7.77"),),
    ]


def test_an_invoice_and_its_correction_with_one_number_are_two_documents(conformed: psycopg.Connection[Row]) -> None:
    query = "select kind, gross_amount, record_count from conformed.invoice where invoice_number = 'OK/1' order by kind"
    found = [tuple(row.values()) for row in conformed.execute(query)]
    assert found == [("correction", -100, 1), ("invoice", 500, 2)]


def test_invoices_of_two_sellers_with_one_number_are_two_documents(conformed: psycopg.Connection[Row]) -> None:
    query = "select seller_tax_id, gross_amount from conformed.invoice where invoice_number = '1/2026' order by 2"
    assert [tuple(row.values()) for row in conformed.execute(query)] == [(OTHER_NIP, 300), (OUR_NIP, 700)]


def test_a_cost_document_is_the_sum_of_its_entries_and_two_suppliers_with_one_number_have_two(
    conformed: psycopg.Connection[Row],
) -> None:
    query = (
        "select supplier_tax_id, net_amount, gross_amount, record_count from conformed.purchase_invoice"
        " where ksef_number is null"
    )
    found = {nip: rest for nip, *rest in (row.values() for row in conformed.execute(query))}
    assert found == {NIP_A: [1000, 1000, 2], NIP_B: [Decimal("55.5"), Decimal("55.5"), 1], None: [1, 1, 1]}


def test_accounts_without_a_mailbox_are_one_identity_each(conformed: psycopg.Connection[Row]) -> None:
    assert rows(conformed, "conformed.identity", "username", "email", "systems") == {
        "ewa": ("ewa@example.pl", ["keycloak", "microsoft365"]),
        "sala@example.pl": (None, ["microsoft365"]),
        "kiosk@example.pl": (None, ["microsoft365"]),
    }


def test_what_sales_lack_by_law_holds_nothing_back(conformed: psycopg.Connection[Row]) -> None:
    """A product without an article number, a shop's customer without a company, a person who is a partner in SAP."""
    assert rows(conformed, "conformed.product", "name", "sku") == {"Usługa": (None,)}
    customers = rows(conformed, "conformed.customer", "source_of_truth", "legal_name", "person_name", "last_changed")
    assert customers["shop"][:2] == (None, "Jan Nowak")
    assert customers["sap"] == (None, "Ewa Nowak", None)
