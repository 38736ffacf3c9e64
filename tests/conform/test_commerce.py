"""Payments, orders and invoices as the world sends them, through the real mapping, dbt and marts in one run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from onefold.catalog.reader import read_catalog
from onefold.conform.dbt_build import DbtProject, marts_fingerprint
from onefold.conform.gate import entity_gate
from onefold.conform.run import conform
from onefold.load.staging import ensure_all_staging
from onefold.mapping.registry import mapping_fingerprints
from onefold.platform.postgres import Postgres
from onefold.settings import ROOT
from tests.conform.world import ACTOR
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database
from tests.roles import as_role

DBT = ROOT / "dbt_project"
Payload = dict[str, object]
Row = dict[str, object]

NIP_A, NIP_B, OUR_NIP, OTHER_NIP = "5272889007", "5220003782", "5252248481", "7740001454"


def _charge(key: str, currency: str, amount: int, **more: object) -> Payload:
    return {
        "id": key, "created": 1767225600, "amount": amount, "amount_captured": amount, "amount_refunded": 0,
        "currency": currency, "status": "succeeded", "captured": True, "refunded": False,
        "metadata": {"invoice": f"FV/{key}"}, "payment_method_details": {"type": "card"},
    } | more  # fmt: skip


OLD = _charge("ch_old", "pln", 12_300)  # as it was read 60 days ago
OLD_NOW = OLD | {"amount_refunded": 4_500}
CHARGES = (
    OLD,
    *(
        _charge(f"ch_{currency}", currency, amount)
        for currency, amount in (("isk", 500), ("ugx", 100_000), ("mga", 5_000), ("kwd", 5_120))
    ),
    _charge("ch_authorised", "pln", 9_900, captured=False, amount_captured=0),
    _charge("ch_released", "pln", 9_900, captured=False, amount_captured=0, refunded=True, amount_refunded=9_900),
    _charge("ch_returned", "pln", 700, refunded=True, amount_refunded=700),
)
REFUNDS: tuple[Payload, ...] = (
    {
        "id": "re_1",
        "created": 1772409600,
        "amount": 3_000,
        "currency": "pln",
        "status": "succeeded",
        "charge": OLD | {"amount_refunded": 3_000},
    },
    {"id": "re_2", "created": 1772409700, "amount": 1_500, "currency": "pln", "status": "succeeded", "charge": OLD_NOW},
    {"id": "re_3", "created": 1772409700, "amount": 200, "currency": "isk", "status": None, "charge": "ch_isk"},
)


def _faktura(number: int, numer: str, nip: str, order: str, gross: int, rodzaj: str = "FV") -> Payload:
    return {
        "id_faktury": number,
        "numer": numer,
        "rodzaj": rodzaj,
        "nr_zamowienia": order,
        "id_klienta": None,
        "numer_korygowanej": "OK/1" if rodzaj == "KOR" else None,
        "nip_nabywcy": nip,
        "data_wystawienia": "2026-02-01",
        "termin_platnosci": "2026-02-15",
        "waluta": "PLN",
        "kwota_netto": gross,
        "kwota_vat": 0,
        "kwota_brutto": gross,
    }


def _jpk(number: str, seller: str, gross: int) -> Payload:
    return {
        "P_2A": number,
        "P_1": "2026-02-01",
        "P_4B": seller,
        "P_5B": NIP_A,
        "P_15": gross,
        "P_13_1": gross,
        "P_14_1": 0,
        "KodWaluty": "PLN",
        "RodzajFaktury": "VAT",
    }


def _order(key: str, account: str, number: str, po_number: str | None) -> Payload:
    return {
        "Id": key,
        "OrderNumber": number,
        "AccountId": account,
        "PoNumber": po_number,
        "EffectiveDate": "2026-01-15",
        "Status": "Activated",
        "TotalAmount": 100,
        "CurrencyIsoCode": "PLN",
        "SystemModstamp": "2026-01-15T10:00:00.000+0000",
    }


def _account(key: str, name: str, nip: str) -> Payload:
    return {
        "Id": key,
        "Name": name,
        "NIP__c": nip,
        "Status__c": "Active",
        "BillingCountry": "Poland",
        "SystemModstamp": "2026-01-15T10:00:00.000+0000",
    }


def _money(amount: str) -> Payload:
    return {"shopMoney": {"amount": amount, "currencyCode": "PLN"}}


def _taxes(*amounts: str) -> list[Payload]:
    return [{"ratePercentage": 23, "priceSet": _money(amount)} for amount in amounts]


def _bought(key: str, subtotal: str, tax: str, *shipping_taxes: str, included: bool | None) -> Payload:
    return {
        "id": key,
        "name": f"#{key}",
        "processedAt": "2026-01-15T10:00:00Z",
        "updatedAt": "2026-01-15T10:00:00Z",
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "FULFILLED",
        "currencyCode": "PLN",
        "taxesIncluded": included,
        "subtotalPriceSet": _money(subtotal),
        "totalTaxSet": _money(tax),
        "shippingLine": {"taxLines": _taxes(*shipping_taxes)} if shipping_taxes else None,
    }


def _line(key: str, total: str, discounts: tuple[str, ...], *taxes: str, included: bool) -> Payload:
    return {
        "id": key,
        "quantity": 2,
        "originalTotalSet": _money(total),
        "taxLines": _taxes(*taxes),
        "discountAllocations": [{"allocatedAmountSet": _money(each)} for each in discounts],
        "parent": {"id": "o1", "taxesIncluded": included},
    }


BOUGHT = (
    _bought("o1", "221.40", "41.40", included=True),
    _bought("o2", "221.40", "43.70", "2.30", included=True),
    _bought("o3", "180.0", "43.70", "2.30", included=False),
    _bought("o4", "99.99", "0.0", included=True),
)
BOUGHT_LINES = (
    _line("l1", "246.00", ("24.60",), "41.40", included=True),
    _line("l2", "300.0", ("10.0", "5.0"), "20.50", "9.25", included=True),
    _line("l3", "246.00", ("24.60",), "50.92", included=False),
    _line("l4", "7.77", (), included=True),
)


RECORDS: dict[str, dict[str, Payload]] = {
    "stripe.charge": {str(each["id"]): each for each in CHARGES},
    "stripe.refund": {str(each["id"]): each for each in REFUNDS},
    "salesforce.account": {
        "001A": _account("001A", "Alfa Sp. z o.o.", NIP_A),
        "001B": _account("001B", "Beta S.A.", NIP_B),
    },
    "salesforce.order": {
        "801A": _order("801A", "001A", "00000101", "1/2026"),
        "801B": _order("801B", "001B", "00000102", "1/2026"),
        "801C": _order("801C", "001B", "00000103", None),
    },
    "sap.business_partner": {
        "1000021": {
            "BusinessPartner": "1000021",
            "BusinessPartnerCategory": "1",
            "FirstName": "EWA",
            "LastName": "NOWAK",
            "OrganizationBPName1": "",
            "OrganizationBPName2": "",
            "LastChangeDate": None,
            "LastChangeTime": "PT00H00M00S",
        },
    },
    "sap.sales_order": {
        "17": {
            "SalesOrder": "17",
            "SoldToParty": "1000021",
            "PurchaseOrderByCustomer": "",
            "SalesOrderDate": "/Date(1492041600000)/",
            "OverallSDDocumentRejectionSts": "A",
            "OverallSDProcessStatus": "A",
            "OverallTotalDeliveryStatus": "A",
            "TotalNetAmount": "5",
            "TransactionCurrency": "PLN",
            "LastChangeDateTime": "2026-01-15T10:00:00Z",
        },
    },
    "sap.sales_order_item": {
        '["17","10"]': {"SalesOrder": "17", "SalesOrderItem": "10", "RequestedQuantity": "2", "NetAmount": "5"}
    },
    "erp.zamowienie": {
        "17": {
            "id_zamowienia": 17,
            "numer": "ZAM/17",
            "id_klienta": 1,
            "data_zamowienia": "2026-01-15",
            "status": "nowe",
            "waluta": "PLN",
            "kwota_netto": 7,
            "data_modyfikacji": "2026-01-15T10:00:00",
        },
    },
    "erp.zamowienie_pozycja": {'["17","10"]': {"id_zamowienia": 17, "lp": 10, "ilosc": 3, "wartosc_netto": 7}},
    "erp.faktura": {
        "1": _faktura(1, "FV/A", NIP_A, "1/2026", 123),
        "2": _faktura(2, "FV/B", NIP_B, "1/2026", 246),
        "3": _faktura(3, "FV/C", NIP_B, "00000103", 369),
        "4": _faktura(4, "OK/1", NIP_B, "", 500),
        "5": _faktura(5, "OK/1", NIP_B, "", -100, "KOR"),
    },
    "accounting.jpk_invoice": {
        "OK/1": _jpk("OK/1", OUR_NIP, 500),
        "ours": _jpk("1/2026", OUR_NIP, 700),
        "theirs": _jpk("1/2026", OTHER_NIP, 300),
    },
    "accounting.account_entry": {
        str(number): {
            "nr_dowodu": "FV 1/2026",
            "nip_dostawcy": supplier,
            "konto": account,
            "data": "2026-02-01",
            "waluta": "PLN",
            "netto": net,
            "vat": "0",
            "brutto": net,
        }
        for number, (supplier, account, net) in enumerate(
            ((NIP_A, "401-01", "700"), (NIP_A, "402-01", "300"), (NIP_B, "401-01", "55.5"), (None, "401-01", "1"))
        )
    },
    "keycloak.user": {"k1": {"id": "k1", "username": "ewa", "email": "ewa@example.pl", "enabled": True}},
    "microsoft365.user": {
        "m1": {"id": "m1", "userPrincipalName": "ewa@example.pl", "mail": "ewa@example.pl", "accountEnabled": True},
        "m2": {"id": "m2", "userPrincipalName": "sala@example.pl", "mail": None, "accountEnabled": True},
        "m3": {"id": "m3", "userPrincipalName": "kiosk@example.pl", "mail": None, "accountEnabled": True},
    },
    "salesforce.product": {"01tA": {"Id": "01tA", "Name": "Usługa", "IsActive": True, "CurrencyIsoCode": "PLN"}},
    "shop.order": {str(each["id"]): each for each in BOUGHT},
    "shop.order_line": {f'["o1","{each["id"]}"]': each for each in BOUGHT_LINES},
    "shop.customer": {
        "gid://1": {
            "id": "gid://1",
            "displayName": "Jan Nowak",
            "firstName": "Jan",
            "lastName": "Nowak",
            "updatedAt": "2026-01-15T10:00:00Z",
        }
    },
}


@pytest.fixture(scope="module")
def conformed(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection[Row]]:
    """A warehouse in which the records above were loaded and conformed."""
    name = copy_database(postgres, TEMPLATE)
    url = as_role(postgres.url(name), "onefold_loader")
    catalog = read_catalog()
    ensure_all_staging(url, catalog)
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        for stream, records in RECORDS.items():
            _load(connection, stream, records)
        mappings = mapping_fingerprints(catalog.entities, catalog.systems) | {"marts": marts_fingerprint(DBT)}
        project = DbtProject(DBT, tmp_path_factory.mktemp("dbt"))
        conform(url, ACTOR, entity_gate(url), list(catalog.entities.values()), project, mappings=mappings)
        yield connection
    drop_database(postgres, name)


def _load(connection: psycopg.Connection[Row], name: str, records: dict[str, Payload]) -> None:
    """One published load of the stream."""
    system, _, stream = name.partition(".")
    loaded = connection.execute(
        "insert into ops.load (system, stream, window_start, window_end, state, dag_id, run_id, actor, rows_new)"
        " values (%s, %s, '2026-01-01', '2026-01-02', 'published', 'd', 'r', 'a', 1) returning load_id",
        (system, stream),
    ).fetchone()
    assert loaded
    insert = sql.SQL(
        "insert into {} (_key, _hash, _payload, _deleted, _load_id, _extracted_at) values (%s, %s, %s, false, %s, %s)"
    ).format(sql.Identifier("staging", f"{system}__{stream}"))
    for key, payload in records.items():
        connection.execute(insert, (key, b"0", Jsonb(payload), loaded["load_id"], datetime(2026, 3, 1, tzinfo=UTC)))


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
    found = rows(
        conformed, "conformed.purchase_invoice", "supplier_tax_id", "net_amount", "gross_amount", "record_count"
    )
    assert found == {NIP_A: (1000, 1000, 2), NIP_B: (Decimal("55.5"), Decimal("55.5"), 1), None: (1, 1, 1)}


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
