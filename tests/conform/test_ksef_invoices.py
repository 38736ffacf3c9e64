"""The invoices of KSeF through their gates and the real dbt: every lawful kind of the sandbox's world is published."""

from __future__ import annotations

from decimal import Decimal

import psycopg

from sandbox.ksef.books import UNREADABLE
from tests.conform.ksef import documents
from tests.conform.published import Published

UNSAID = ("simplified", "margin")


def test_every_invoice_that_can_be_read_is_published_with_its_lines(published: Published) -> None:
    conformed = published.connection
    for entity, bought in (("invoice", False), ("purchase_invoice", True)):
        sound = [document for document in documents(bought=bought) if document.entry.broken not in UNREADABLE]
        known = f"select ksef_number, net_amount from conformed.{entity} where ksef_number is not null"  # noqa: S608 - our own
        found = dict(conformed.execute(known).fetchall())
        assert found == {d.key: None if d.variety in UNSAID else d.of.order.net for d in sound}, entity
        lines = conformed.execute(
            f"select split_part(line_key, '|', 1), sum(net_amount) from conformed.{entity}_line"  # noqa: S608 - our own
            " where line_kind = 'invoiced' group by 1 having count(*) = count(net_amount)"
        ).fetchall()
        assert len(lines) > len(sound) * 0.8
        wrong = {n for n, total in lines if n in found and abs(total - found[n]) > Decimal("0.05")}
        assert wrong == set(), entity

    of_ksef = "conformed.purchase_invoice where ksef_number is not null"
    assert value(conformed, f"select count(*) from {of_ksef} and supplier_id is null") == 0  # noqa: S608 - our own
    suppliers = "select count(distinct supplier_id) - count(distinct supplier_tax_id)"
    assert value(conformed, f"{suppliers} from {of_ksef}") == 0
    owed = "select sum(amount_due - coalesce(prepaid_amount, 0)) from conformed.purchase_invoice where currency = 'PLN'"
    assert value(conformed, "select count(*) from marts.payables") > 10
    assert value(conformed, owed) > 0


def value(connection: psycopg.Connection, query: str) -> Decimal:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]
