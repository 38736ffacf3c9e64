"""What analysts asked and had no answer for, counted by hand over a few records."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import psycopg
import pytest
from psycopg import sql

from tests.conform.every_stream import Warehouse
from tests.conform.test_marts import mart, temporary

ADA, BEA, CYD = (f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2, 3))
TABLES = """
create temp table customer as select * from (values
    (uuid 'ADA', 'Ada Sp. z o.o.', '1111111111', '0000000001', 'PL', 'active'),
    (uuid 'BEA', 'Bea GmbH', '2222222222', null, 'DE', 'active'),
    (uuid 'CYD', 'Cyd S.A.', '3333333333', '0000000003', 'PL', 'inactive')
) as t (customer_id, legal_name, tax_id_pl, krs, country, status);
create temp table invoice as select * from (values
    ('F1', null, uuid 'ADA', '1111111111', date '2026-01-10', date '2026-01-20', 'PLN', 1000.00, 1230.00),
    ('F2', null, null, '1111111111', '2026-03-31', '2026-04-10', 'PLN', 500.00, 615.00),
    ('K1', 'F1', null, '1111111111', '2026-04-02', null, 'PLN', -100.00, -123.00),
    ('F3', null, null, '2222222222', '2026-02-02', '2026-02-12', 'EUR', 300.00, 300.00),
    ('F4', null, null, '3333333333', '2026-02-03', '2026-02-13', 'PLN', 1500.00, 1845.00),
    ('F5', null, null, '9999999999', '2026-02-04', '2026-02-14', 'PLN', 10.00, 12.30)
) as t (invoice_number, corrects_invoice, customer_id, customer_tax_id, issued_on, due_on, currency
    , net_amount, gross_amount),
    lateral (select null::text as customer_eu_vat, 'Buyer Sp. z o.o.' as customer_name, null::int as corrected_invoices,
        null::numeric as amount_due, null::numeric as prepaid_amount) as more;
create temp table exchange_rate as select * from (values
    ('EUR', date '2026-01-30', 4.2000), ('EUR', '2026-02-02', 9.9999),
    ('USD', '2026-02-01', 4.0000), ('USD', '2026-02-02', 3.5000)
) as t (currency, effective_on, rate), lateral (select 'A' as rate_table) as more;
create temp table payment as select * from (values ('F2', 615.00, 'paid'), ('F4', 845.00, 'paid'))
    as t (invoice_number, amount, status);
create temp table llm_usage as select * from (values
    (date '2026-02-02', 'openai', 'chat', 10.00, 'USD', 100), ('2026-02-03', 'openai', 'chat', 2.00, 'USD', 200),
    ('2026-02-03', 'openai', 'chat', null, null, 5000), ('2026-02-03', 'anthropic', null, 1.00, 'GBP', 1)
) as t (used_on, provider, project, cost, cost_currency, input_tokens),
    lateral (select 0 as output_tokens, 1 as requests) as more;
create temp table supplier as select * from (values
    (uuid 'ADA', 'Ada Sp. z o.o.', '1111111111', 'PL11'), ('BEA', 'Bea S.A.', '2222222222', 'PL22'),
    ('CYD', 'Cyd S.A.', '3333333333', null), ('00000000-0000-0000-0000-000000000004', 'Dan S.A.', '4444444444', 'PL44'),
    ('00000000-0000-0000-0000-000000000005', 'Eva S.A.', '5555555555', 'PL55')
) as t (supplier_id, legal_name, tax_id_pl, iban);
create temp table company as select * from (values
    ('1111111111', 'active', '33 11'), ('2222222222', 'active', '111 222'), ('3333333333', 'active', '33'),
    ('4444444444', 'not_registered', null)
) as t (tax_id_pl, vat_status, bank_accounts), lateral (select gen_random_uuid() as company_id) as more;
create temp table lookup_cache as select * from (values
    ('1111111111', 'found', timestamptz '2026-02-01 23:30+00', 'r-1'),
    ('2222222222', 'found', '2026-02-02 10:00+00', 'r-2'),
    ('3333333333', 'found', '2026-02-03 10:00+00', 'r-3'), ('4444444444', 'not_found', '2026-02-03 10:00+00', 'r-4'),
    ('5555555555', 'failed', '2026-02-04 10:00+00', null)
) as t (lookup_key, outcome, answered_at, proof), lateral (select 'white_list' as system) as more;
create temp table customer_crosswalk as select * from (values
    (uuid 'ADA', 'salesforce', 'c1'), ('ADA', 'erp', 'e1'), ('BEA', 'salesforce', 'c2'), ('BEA', 'erp', 'e2'),
    ('CYD', 'salesforce', 'c3')
) as t (customer_id, system, record);
create temp table salesforce__customer as select * from (values
    ('c1', 'Ada Sp. z o.o.', 'Łódź', 'active', 1000.0), ('c2', 'Bea GmbH', 'Berlin', null, 5),
    ('c3', 'Cyd S.A.', 'X', 'active', 1)
) as t (_record, legal_name, city, status, credit_limit), lateral (select false as _deleted, null::text as tax_id_pl,
    null::text as regon, null::text as postal_code, 'PL' as country, 'PLN' as credit_limit_currency) as more;
create temp table erp__customer as select * from (values
    ('e1', 'Ada S.A.', 'Łódź', 'inactive', 1000), ('e2', 'Bea GmbH', 'Bonn', 'active', 5)
) as t (_record, legal_name, city, status, credit_limit), lateral (select false as _deleted, '1111111111' as tax_id_pl,
    null::text as regon, null::text as postal_code, 'PL' as country, 'PLN' as credit_limit_currency) as more
"""


@pytest.fixture
def connection(loader: psycopg.Connection) -> psycopg.Connection:
    for statement in TABLES.strip().split(";\n"):
        loader.execute(statement.replace("ADA", ADA).replace("BEA", BEA).replace("CYD", CYD).encode())
    return loader


def rows(connection: psycopg.Connection, columns: str, name: str) -> list[tuple[object, ...]]:
    query = sql.SQL("select {} from ({}) as mart order by 1, 2").format(
        sql.SQL(columns), sql.SQL(mart(name, temporary))
    )
    return connection.execute(query).fetchall()


def test_receivables_by_group_sum_what_each_customer_of_it_owes(connection: psycopg.Connection) -> None:
    """PL: 1,230 - 123 of Ada, whose other invoice is paid. DE: 300 EUR at 4.20, the rate of the day before."""
    connection.execute(
        sql.SQL("create temp view owed as {}").format(sql.SQL(mart("receivables_by_customer_group", temporary)))
    )
    summed = (
        "select country, customer_status, sum(customers)::int, sum(invoices)::int, sum(owed_pln)"
        " from owed group by 1, 2 order by 1, 2"
    )
    assert connection.execute(summed).fetchall() == [
        ("DE", "active", 1, 1, Decimal("1260.00")),
        ("PL", "active", 1, 1, Decimal("1107.00")),
        ("PL", "inactive", 1, 1, Decimal("1000.00")),
        (None, None, 0, 1, Decimal("12.30")),
    ]


PURCHASES = """
create temp table purchase_invoice as
select invoice_number, customer_tax_id as supplier_tax_id, customer_name as supplier_name, currency, due_on, issued_on,
    gross_amount as amount_due, gross_amount, prepaid_amount, corrected_invoices, corrects_invoice,
    null::text as corrects_ksef_number, null::text as ksef_number, null::uuid as supplier_id
from invoice;
alter table payment add column currency text
"""
SUMS = {
    "receivables": "customer, sum(owed_pln), sum(without_rate)::int, bool_or(owed_pln is null)",
    "payables": "supplier, sum(owed_pln), sum(without_rate)::int, bool_or(owed_pln is null)",
    "receivables_by_customer_group": "country, sum(owed_pln), sum(without_rate)::int, bool_or(owed_pln is null)",
    "revenue_by_month": "currency, sum(net_pln), sum(without_rate)::int, bool_or(net_pln is null)",
    "top_customers_by_quarter": "customer, sum(net_pln), max(place)::int, bool_or(net_pln is null)",
}


def test_where_a_rate_is_missing_the_sum_in_pln_is_missing_too_and_never_too_small(
    connection: psycopg.Connection,
) -> None:
    """One of Ada's invoices, 615.00 PLN that are paid, is of 615.00 EUR and is not; Bea's are in EUR anyway."""
    for statement in PURCHASES.strip().split(";\n"):
        connection.execute(statement.encode())
    connection.execute("update invoice set currency = 'EUR' where invoice_number = 'F2'")
    connection.execute("delete from payment where invoice_number = 'F2'")

    def sums(name: str) -> dict[object, tuple[object, ...]]:
        query = sql.SQL("select {} from ({}) as mart group by 1")
        found = connection.execute(query.format(sql.SQL(SUMS[name]), sql.SQL(mart(name, temporary)))).fetchall()
        return {who: (None if is_missing else amount, number) for who, amount, number, is_missing in found}

    whole = {name: sums(name) for name in SUMS}
    assert all(amount is not None for found in whole.values() for amount, _ in found.values())
    connection.execute("delete from exchange_rate where currency = 'EUR'")
    without = {name: sums(name) for name in SUMS}
    assert without["receivables"] == {
        **whole["receivables"],
        "Ada Sp. z o.o.": (None, 1),
        "Bea GmbH": (None, 1),
    }
    assert (
        without["payables"]["Bea S.A."] == (None, 1)
        and without["payables"]["Cyd S.A."] == whole["payables"]["Cyd S.A."]
    )
    assert without["receivables_by_customer_group"]["DE"] == (None, 1)
    assert without["receivables_by_customer_group"]["PL"][0] is None
    assert without["revenue_by_month"] == {"EUR": (None, 2), "PLN": whole["revenue_by_month"]["PLN"]}
    assert without["top_customers_by_quarter"]["Ada Sp. z o.o."][0] is None
    assert without["top_customers_by_quarter"]["Cyd S.A."] == (Decimal("1500.00"), 1), "who is not known comes last"


def test_how_late_an_invoice_is_goes_by_the_polish_day_wherever_the_reader_is(connection: psycopg.Connection) -> None:
    """Of the two zones one has another day than Poland at any moment. An invoice that says no due day is not late."""
    (today,) = connection.execute("select (now() at time zone 'Europe/Warsaw')::date").fetchone() or ()
    due = {"F1": today, "F3": today - timedelta(days=30), "F5": None}
    connection.execute("delete from invoice where invoice_number <> all (%s)", ([*due],))
    for number, day in due.items():
        connection.execute("update invoice set due_on = %s where invoice_number = %s", (day, number))
    for zone in ("Etc/GMT+12", "Etc/GMT-14"):
        connection.execute(sql.SQL("set timezone = {}").format(sql.Literal(zone)))
        found = rows(connection, "customer, age", "receivables")
        assert found == [("9999999999", "no due day"), ("Ada Sp. z o.o.", "not due"), ("Bea GmbH", "1-30 days")]


def test_the_top_customers_of_a_quarter_are_told_in_pln_with_corrections_in_their_own(
    connection: psycopg.Connection,
) -> None:
    """Ada has 1,000 + 500 and so shares the first place with Cyd; Bea 300 EUR at 4.20; the correction is of April."""
    first, second = date(2026, 1, 1), date(2026, 4, 1)
    found = rows(
        connection, "quarter, place, customer, invoices, net_pln, customer_id::text", "top_customers_by_quarter"
    )
    assert sorted(found, key=lambda row: (row[0], row[1], row[2])) == [
        (first, 1, "Ada Sp. z o.o.", 2, Decimal("1500.00"), ADA),
        (first, 1, "Cyd S.A.", 1, Decimal("1500.00"), CYD),
        (first, 3, "Bea GmbH", 1, Decimal("1260.00"), BEA),
        (first, 4, "Buyer Sp. z o.o.", 1, Decimal("10.00"), None),
        (second, 1, "Ada Sp. z o.o.", 0, Decimal("-100.00"), ADA),
    ]


def test_a_supplier_is_compared_with_the_white_list_of_the_day_on_which_it_was_asked(
    connection: psycopg.Connection,
) -> None:
    found = rows(connection, "supplier, verdict, account_confirmed, asked_on, request_number", "supplier_white_list")
    assert found == [
        ("Ada Sp. z o.o.", "confirmed", True, date(2026, 2, 2), "r-1"),  # half past midnight in Poland
        ("Bea S.A.", "account not listed", False, date(2026, 2, 2), "r-2"),
        ("Cyd S.A.", "no account", None, date(2026, 2, 3), "r-3"),
        ("Dan S.A.", "not active", False, date(2026, 2, 3), "r-4"),
        ("Eva S.A.", "not asked", None, None, None),
    ]


def test_what_crm_and_erp_say_differently_is_listed_and_what_one_does_not_say_is_not(
    connection: psycopg.Connection,
) -> None:
    found = rows(connection, "crm_record, attribute, crm_value, erp_value, erp_record", "crm_erp_differences")
    assert found == [
        ("c1", "legal_name", "Ada Sp. z o.o.", "Ada S.A.", "e1"),
        ("c1", "status", "active", "inactive", "e1"),
        ("c2", "city", "Berlin", "Bonn", "e2"),
    ]


def test_a_record_that_the_crm_has_deleted_and_a_value_that_is_withheld_are_no_difference(
    every_stream: Warehouse,
) -> None:
    """One customer of both systems: the CRM gives another town and status; then its status is a code that nobody knows;
    then the account is deleted."""
    query = sql.SQL("select attribute, crm_value from ({}) as mart where crm_record = {} and attribute = any({})")
    attributes = sql.Literal(["city", "status"])

    def differences(record: str) -> dict[str, str]:
        text = sql.SQL(mart("crm_erp_differences"))
        return dict(every_stream.query(query.format(text, sql.Literal(record), attributes)))

    [(key, record)] = every_stream.query(
        sql.SQL(
            "select crm.key, crm.record from conformed.customer_crosswalk as crm join mapped.salesforce__customer as m"
            " on m._record = crm.record and not m._deleted"
            " join conformed.customer_crosswalk as x using (customer_id) join mapped.erp__customer as e"
            " on e._record = x.record and e.status is not null"
            " where crm.system = 'salesforce' and x.system = 'erp' order by 2 limit 1"
        )
    )
    account = every_stream.rows("salesforce.account")[key][1]
    elsewhere = account | {"BillingCity": "Nowhere", "Status__c": "Prospect"}
    found = []
    for changed, deleted in (
        (elsewhere, False),
        (elsewhere | {"Status__c": "Dormant"}, False),
        (elsewhere, True),
        (account, False),
    ):
        assert every_stream.load("salesforce.account", key, changed, deleted=deleted)
        every_stream.conform(judged=False)
        found.append(differences(record))
    assert found[:3] == [{"city": "Nowhere", "status": "prospect"}, {"city": "Nowhere"}, {}]
    assert every_stream.rows("salesforce.account")[key][1] == account  # for the tests that share it


def test_ai_cost_is_told_in_pln_by_the_rate_of_each_day(connection: psycopg.Connection) -> None:
    """10 USD at 4.00 and 2 USD at 3.50; nobody knows a rate of GBP."""
    month = date(2026, 2, 1)
    found = rows(connection, "month, provider, project, cost, currency, cost_pln, input_tokens", "ai_cost_by_project")
    assert found == [
        (month, "anthropic", None, Decimal("1.00"), "GBP", None, 1),
        (month, "openai", "chat", Decimal("12.00"), "USD", Decimal("47.00"), 5300),
    ]
