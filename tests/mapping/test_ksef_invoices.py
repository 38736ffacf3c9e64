"""What an invoice of each lawful kind becomes: from its XML, as the connector reads it, by the catalogue's mapping."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec
import psycopg
import pytest
from psycopg import sql

from onefold.mapping.sql import rule_sql
from tests.connectors.ksef_samples import FA_2, SELLER, exported, farmer, invoice, line
from tests.mapping.invoices import CATALOG, STREAMS, Map, head, lines

D = Decimal


def test_what_a_simplified_invoice_does_not_say_is_unknown_and_not_nothing(mapped: Map) -> None:
    xml = invoice(kind="UPR", totals="", lines=[line("<P_12>23</P_12>")])
    golden = head(mapped, xml, kind="Upr")
    assert (golden["net_amount"], golden["vat_amount"], golden["vat_amount_pln"]) == (None, None, None)
    assert (golden["gross_amount"], golden["amount_due"], golden["document_type"]) == (D(123), D(123), "simplified")
    (only,) = lines(mapped, xml, kind="Upr")
    assert (only["net_amount"], only["vat_rate"]) == (None, "23")


@pytest.mark.parametrize(
    ("totals", "gross", "margin", "expected"),
    [
        ("<P_13_1>100.00</P_13_1><P_14_1>23.00</P_14_1>", "123.00", None, (D(100), D(23))),
        ("<P_13_6_1>50</P_13_6_1><P_13_7>7.5</P_13_7>", "57.50", None, (D("57.5"), D(0))),
        ("<P_13_10>50</P_13_10>", "50.00", None, (D(50), D(0))),
        ("<P_13_5>100</P_13_5>", "119.00", None, (D(100), None)),
        ("<P_13_5>100</P_13_5><P_14_5>19</P_14_5>", "119.00", None, (D(100), D(19))),
        ("<P_13_11>123</P_13_11>", "123.00", "P_PMarzy_3_1", (None, None)),
        ("<P_13_1>100</P_13_1><P_14_1>23</P_14_1><P_13_11>123</P_13_11>", "246.00", "P_PMarzy_3_1", (None, None)),
        ("", "0", None, (D(0), D(0))),
    ],
)
def test_net_and_vat_are_what_the_invoice_says(
    mapped: Map, totals: str, gross: str, margin: str | None, expected: tuple[Decimal | None, Decimal | None]
) -> None:
    scheme = {"margin": f"<P_PMarzy>1</P_PMarzy><{margin}>1</{margin}>"} if margin else {}
    golden = head(mapped, invoice(totals=totals, gross=gross, **scheme))
    assert (golden["net_amount"], golden["vat_amount"]) == expected
    assert golden["margin_scheme"] == ("used goods" if margin else None)
    assert golden["margin_sales_amount"] == (D(123) if margin else None)


@pytest.mark.parametrize(
    ("elements", "net"),
    [
        ("<P_8B>2</P_8B><P_9B>123</P_9B><P_11A>246.00</P_11A><P_12>23</P_12>", D("200.00")),
        ("<P_11A>100.00</P_11A><P_12>8</P_12>", D("92.59")),
        ("<P_11A>100.00</P_11A><P_12>zw</P_12>", D("100.00")),
        ("<P_11A>100.00</P_11A><P_12>0 WDT</P_12>", D("100.00")),
        ("<P_11A>119.00</P_11A><P_12_XII>19</P_12_XII>", D("100.00")),
        ("<P_11A>100.00</P_11A><P_11Vat>18.70</P_11Vat>", D("81.30")),
        ("<P_11A>100.00</P_11A>", None),
        ("<P_8B>2</P_8B><P_9B>123</P_9B><P_10>46</P_10><P_12>23</P_12>", D("162.60")),
        ("<P_8B>3</P_8B><P_9A>10.005</P_9A><P_12>23</P_12>", D("30.02")),
        ("<P_8B>3</P_8B><P_9A>10</P_9A><P_11>29.99</P_11><P_12>23</P_12>", D("29.99")),
        ("", None),
    ],
)
def test_the_net_amount_of_a_line_in_gross_prices_follows_from_its_rate(
    mapped: Map, elements: str, net: Decimal | None
) -> None:
    (only,) = lines(mapped, invoice(lines=[line(elements)]))
    assert only["net_amount"] == net


def test_a_correction_tells_before_from_after_and_its_lines_sum_to_the_difference(mapped: Map) -> None:
    states = [
        line("<P_8B>10</P_8B><P_9A>100</P_9A><P_11>1000</P_11><P_12>23</P_12><StanPrzed>1</StanPrzed>"),
        line("<P_8B>8</P_8B><P_9A>100</P_9A><P_11>800</P_11><P_12>23</P_12>", place=2),
        line("<P_11A>123</P_11A><P_12>23</P_12><StanPrzed>1</StanPrzed>", place=3),
        line("<P_11A>123</P_11A><P_12>23</P_12>", place=4),
    ]
    totals = "<P_13_1>-200</P_13_1><P_14_1>-46</P_14_1>"
    xml = invoice(kind="KOR", number="OK/1", totals=totals, gross="-246", corrects="OK/1", lines=states)
    found = lines(mapped, xml, kind="Kor")
    assert [each["correction_state"] for each in found] == ["before", "after", "before", "after"]
    assert [each["quantity"] for each in found[:2]] == [D(-10), D(8)]
    assert sum(each["net_amount"] for each in found) == D(-200)
    golden = head(mapped, xml, kind="Kor", invoiceNumber="OK/1", grossAmount=-246.0)
    assert (golden["net_amount"], golden["kind"], golden["corrects_invoice"]) == (D(-200), "correction", "OK/1")
    assert golden["corrected_invoices"] == 1
    as_difference = invoice(kind="KOR", corrects="A", lines=[line("<P_11>-200</P_11>")])
    (only,) = lines(mapped, as_difference, kind="Kor")
    assert (only["net_amount"], only["correction_state"]) == (D(-200), None)


def test_an_invoice_and_its_correction_with_one_number_are_told_apart(mapped: Map) -> None:
    xml = invoice(kind="KOR", corrects="OK/1", number="OK/1")
    first = head(mapped, invoice(number="OK/1"), invoiceNumber="OK/1", ksefNumber="1")
    second = head(mapped, xml, kind="Kor", invoiceNumber="OK/1", ksefNumber="2")
    assert [each["invoice_number"] for each in (first, second)] == ["OK/1", "OK/1"]
    assert [each["kind"] for each in (first, second)] == ["invoice", "correction"]
    assert [each["seller_tax_id"] for each in (first, second)] == [SELLER, SELLER]
    assert [each["ksef_number"] for each in (first, second)] == ["1", "2"]


KINDS = {
    "VAT": ("Vat", "invoice", "standard"), "ZAL": ("Zal", "invoice", "advance"),
    "ROZ": ("Roz", "invoice", "settlement"), "UPR": ("Upr", "invoice", "simplified"),
    "KOR": ("Kor", "correction", "standard"), "KOR_ZAL": ("KorZal", "correction", "advance"),
    "KOR_ROZ": ("KorRoz", "correction", "settlement"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_invoice_is_known_in_the_forms_of_both_years(mapped: Map, kind: str) -> None:
    type_, document, of = KINDS[kind]
    for form in ({}, {"namespace": FA_2}):
        xml = invoice(
            kind=kind, corrects="FV/0" if kind.startswith("KOR") else None, lines=[line("<P_11>100</P_11>")], **form
        )
        golden = head(mapped, xml, kind=type_)
        assert (golden["kind"], golden["document_type"]) == (document, of)
        assert (golden["net_amount"], golden["vat_amount"], golden["issued_on"]) == (D(100), D(23), date(2026, 3, 1))
        assert [each["net_amount"] for each in lines(mapped, xml, kind=type_)] == [D(100)]


def test_a_farmers_invoice_is_read_with_the_lump_sum_refund_as_its_tax(mapped: Map) -> None:
    of = exported(farmer(), kind="VatRr", grossAmount=5350.0)
    (golden,) = mapped("invoice", "invoice", of)
    assert (golden["net_amount"], golden["vat_amount"], golden["amount_due"]) == (D(5000), D(350), D(5350))
    assert (golden["sold_on"], golden["payment_method"]) == (date(2026, 3, 8), "transfer")
    assert (golden["seller_account"], golden["document_type"]) == ("61109010140000071219812874", "farmer")
    (only,) = mapped("invoice_line", "invoice_line", of)
    assert (only["description"], only["quantity"], only["net_amount"]) == ("Ziemniaki", D(1000), D(5000))


def test_of_an_invoice_in_a_form_that_is_not_read_there_is_what_ksef_says(mapped: Map) -> None:
    xml = b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"><ID>1</ID></Invoice>'
    of = exported(xml, kind="VatPef", netAmount=100.0, vatAmount=23.0)
    (golden,) = mapped("invoice", "invoice", of)
    assert (golden["net_amount"], golden["vat_amount"], golden["gross_amount"]) == (D(100), D(23), D(123))
    assert mapped("invoice_line", "invoice_line", of) == []


def test_the_lines_of_an_order_on_an_invoice_for_an_advance_are_no_invoiced_amounts(mapped: Map) -> None:
    ordered = (
        "<Zamowienie><WartoscZamowienia>1230</WartoscZamowienia><ZamowienieWiersz><NrWierszaZam>1</NrWierszaZam>"
        "<P_7Z>Maszyna</P_7Z><IndeksZ>M-1</IndeksZ><P_8AZ>szt</P_8AZ><P_8BZ>2</P_8BZ><P_9AZ>500</P_9AZ>"
        "<P_11NettoZ>1000</P_11NettoZ><P_11VatZ>230</P_11VatZ><P_12Z>23</P_12Z></ZamowienieWiersz></Zamowienie>"
    )
    (only,) = lines(mapped, invoice(kind="ZAL", after_lines=ordered), kind="Zal")
    assert (only["line_kind"], only["description"], only["sku"], only["vat_rate"]) == (
        "ordered",
        "Maszyna",
        "M-1",
        "23",
    )
    assert (only["net_amount"], only["quantity"]) == (None, None)
    assert (only["ordered_net_amount"], only["ordered_quantity"], only["unit_price"]) == (D(1000), D(2), D(500))


def test_of_invoices_that_were_loaded_before_nothing_is_lost(server: psycopg.Connection) -> None:
    """Records of earlier versions have no `terms`, `settlement` and `amounts`."""
    line_rules = CATALOG.entities["invoice_line"].attributes
    old = '{"FaWiersz": {"P_11": "10.00", "P_8B": "2", "P_12": "23"}}'
    names = ("net_amount", "quantity", "vat_rate")
    expressions = [rule_sql(line_rules[name].sources["ksef.invoice_line"], STREAMS["invoice_line"]) for name in names]
    query = sql.SQL("select {} from (select %s::jsonb as _payload) as given")
    found = server.execute(query.format(sql.SQL(", ").join(map(sql.SQL, expressions))), [old]).fetchone()
    assert found == (D(10), D(2), "23")


def test_an_entry_of_the_books_is_a_line_and_its_amounts_are_no_invoiced_ones(server: psycopg.Connection) -> None:
    """A document is split over accounts: what is booked of it is on several entries."""
    stream = CATALOG.systems["accounting"].streams["account_entry"]
    entry = {"nr_dowodu": "FV 1/2026", "nip_dostawcy": SELLER, "konto": "401-01", "mpk": None, "netto": "700"}

    def of(entity: str, *names: str) -> tuple[object, ...] | None:
        rules = [CATALOG.entities[entity].attributes[name].sources["accounting.account_entry"] for name in names]
        values = sql.SQL(", ").join(sql.SQL(rule_sql(rule, stream)) for rule in rules)
        query = sql.SQL("select {} from (select %s::jsonb as _payload) as given").format(values)
        return server.execute(query, [msgspec.json.encode(entry).decode()]).fetchone()

    names = ("line_key", "line_kind", "booked_net_amount", "account", "supplier_tax_id")
    assert of("purchase_invoice_line", *names) == (f"FV 1/2026|{SELLER}|401-01|", "booked", D(700), "401-01", SELLER)
    assert of("purchase_invoice", "invoice_number", "supplier_tax_id", "kind") == ("FV 1/2026", SELLER, "invoice")
    for name in ("net_amount", "gross_amount"):
        assert "accounting.account_entry" not in CATALOG.entities["purchase_invoice_line"].attributes[name].sources
