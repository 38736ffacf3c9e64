"""The mart of payables, on purchases made up for it: what we owe whom, and how late it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import jinja2
import psycopg
import pytest
from psycopg import sql

from onefold.settings import ROOT
from tests.insight.marts import MACROS

D = Decimal
TODAY = datetime.now(ZoneInfo("Europe/Warsaw")).date()
A, B = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
TABLES = """
create temp table purchase_invoice (supplier_id uuid, supplier_tax_id text, supplier_name text, invoice_number text,
    ksef_number text, corrects_invoice text, corrects_ksef_number text,
    corrected_invoices int, currency text, due_on date, issued_on date,
    gross_amount numeric, amount_due numeric, prepaid_amount numeric);
create temp table supplier (supplier_id uuid, tax_id_pl text, legal_name text);
create temp table payment (invoice_number text, currency text, status text, amount numeric);
create temp table rate_to_pln (currency text, valid_from date, valid_to date, rate numeric);
insert into rate_to_pln values ('PLN', '2000-01-01', null, 1), ('EUR', '2000-01-01', null, 4);
"""


@pytest.fixture
def tables(server: psycopg.Connection) -> psycopg.Connection:
    with server.transaction(force_rollback=True):
        server.execute(TABLES)
        server.execute("insert into supplier values (%s, '111', 'Alfa'), (%s, '222', 'Beta')", (A, B))
        yield server


def bought(tables: psycopg.Connection, number: str, due: Decimal, **more: object) -> None:
    row: dict[str, object] = {
        "supplier_id": A, "supplier_tax_id": "111", "invoice_number": number, "ksef_number": f"K-{number}",
        "currency": "PLN", "issued_on": TODAY, "due_on": TODAY - timedelta(days=10), "amount_due": due,
        "gross_amount": due, **more,
    }  # fmt: skip
    names = sql.SQL(", ").join(map(sql.Identifier, row))
    query = sql.SQL("insert into purchase_invoice ({}) values ({})")
    places = sql.SQL(", ").join([sql.Placeholder()] * len(row))
    tables.execute(query.format(names, places), list(row.values()))


def payables(tables: psycopg.Connection) -> dict[tuple[str, str], tuple[int, Decimal]]:
    """Invoices and PLN owed, by supplier and age."""
    text = MACROS + (ROOT / "dbt_project/models/marts/payables.sql").read_text("utf-8")
    query = jinja2.Template(text).render(
        source=lambda schema, name: name.removesuffix("_unmasked"), ref=lambda name: name
    )
    rows = tables.execute(query.encode())
    return {(supplier, age): (count, owed) for _, supplier, _, age, count, owed, _, _ in rows}


def test_what_is_owed_is_due_less_what_was_paid_by_supplier_and_age(tables: psycopg.Connection) -> None:
    bought(tables, "1", D(100))
    bought(tables, "2", D(100), prepaid_amount=D(30), due_on=TODAY + timedelta(days=1))
    bought(tables, "3", D(100), currency="EUR", due_on=TODAY - timedelta(days=45))
    bought(tables, "4", D(100), prepaid_amount=D(100))
    bought(tables, "5", D(100), due_on=None)
    bought(tables, "6", D(100), supplier_id=None, supplier_tax_id="222", due_on=TODAY - timedelta(days=200))
    bought(tables, "7", D(100), amount_due=None, supplier_id=None)  # an entry of the books: nothing is known of payment
    assert payables(tables) == {
        ("Alfa", "1-30 days"): (1, D(100)), ("Alfa", "not due"): (1, D(70)), ("Alfa", "31-60 days"): (1, D(400)),
        ("Alfa", "no due day"): (1, D(100)), ("Beta", "over 90 days"): (1, D(100)),
    }  # fmt: skip


def test_a_correction_lowers_what_it_corrects_whatever_its_number(tables: psycopg.Connection) -> None:
    bought(tables, "OK/1", D(100))
    same = {"ksef_number": "K-2", "corrects_invoice": "OK/1", "corrects_ksef_number": "K-OK/1"}
    bought(tables, "OK/1", D(-40), **same, due_on=TODAY)
    assert payables(tables) == {("Alfa", "1-30 days"): (1, D(60))}


def test_a_correction_of_several_invoices_stands_for_itself(tables: psycopg.Connection) -> None:
    bought(tables, "1", D(100))
    bought(tables, "KOR", D(-40), corrects_invoice="1", corrects_ksef_number="K-1", corrected_invoices=3, due_on=None)
    assert payables(tables) == {("Alfa", "1-30 days"): (1, D(100)), ("Alfa", "no due day"): (1, D(-40))}


def test_two_suppliers_with_one_number_are_not_mistaken_for_each_other(tables: psycopg.Connection) -> None:
    bought(tables, "1/2026", D(100), ksef_number="A")
    bought(tables, "1/2026", D(50), ksef_number="B", supplier_id=B, supplier_tax_id="222")
    bought(tables, "7/2026", D(70), ksef_number="C")
    tables.execute("insert into payment values ('1/2026', 'PLN', 'paid', -100), ('7/2026', 'PLN', 'paid', -70)")
    assert payables(tables) == {("Alfa", "1-30 days"): (1, D(100)), ("Beta", "1-30 days"): (1, D(50))}
