"""What a view's columns are made of, for each way in which SQL may say it, and against what PostgreSQL records."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from onefold.insight.mart_lineage import Column, mart_lineage
from onefold.platform.postgres import Postgres
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database
from tests.insight.marts import MODELS, make_marts

TABLES = """
create table marts.t (gone int, a int, b int, c text, "odd (} "" \\ name" int);
alter table marts.t drop column gone;
create table marts.u (gone int, a int, d int);
alter table marts.u drop column gone;
set local search_path = marts;
"""


@pytest.fixture(scope="module")
def warehouse(postgres: Postgres) -> Iterator[psycopg.Connection]:
    """With the views of the marts."""
    name = copy_database(postgres, TEMPLATE)
    with psycopg.connect(postgres.url(name), autocommit=True) as owner:
        make_marts(owner)
        yield owner
    drop_database(postgres, name)


@pytest.mark.parametrize(
    ("query", "values", "conditions", "rows"),
    [
        ("select a + b as x from t", "t.a t.b", "", ""),
        ('select "odd (} "" \\ name" as x from t where a > 1', 't.odd_(}_"_\\_name', "", "t.a"),
        ("select case when a > 0 then b::text else c end as x from t", "t.b t.c", "t.a", ""),
        ("select case a when 1 then b end as x from t", "t.b", "t.a", ""),
        ("select coalesce(a, b) as x from t", "t.a t.b", "", ""),
        ("select sum(a) filter (where b > 0) as x from t group by c having max(b) > 1", "t.a", "t.b", "t.b t.c"),
        ("select c as x, count(*) from t group by c", "t.c", "", "t.c"),
        ("select count(*) as x from t", "", "", ""),
        ("select row_number() over (partition by a order by b) as x from t", "", "t.a t.b", ""),
        ("select lead(c) over (order by b) as x from t", "t.c", "t.b", ""),
        ("select distinct on (a) c as x from t order by a, b", "t.c", "", "t.a t.b"),
        ("select a as x from t union all select d from u where a = 1", "t.a u.d", "", "u.a"),
        ("select a as x from t except (select a from u union select d from u)", "t.a u.a u.d", "", ""),
        ("with w as (select * from t) select w.b as x from w join u using (a)", "t.b", "", "t.a u.a"),
        ("select a as x from t full join u using (a)", "t.a u.a", "", "t.a u.a"),
        ("select u.d as x from t left join u on u.a = t.b and t.c = 'y'", "u.d", "", "t.b t.c u.a"),
        ("select j.d as x from (t join u using (a)) as j", "u.d", "", "t.a u.a"),
        ("select (select max(d) from u where u.a = t.a) as x from t", "u.d", "t.a u.a", ""),
        ("select array(select d from u) as x from t", "u.d", "", ""),
        ("select exists (select from u where u.a = t.a) as x from t", "", "t.a u.a", ""),
        ("select a in (select d from u) as x from t", "", "t.a u.d", ""),
        ("select a as x from t where b in (select d from u where u.a = t.a)", "t.a", "", "t.a t.b u.a u.d"),
        (
            "select l.x from t cross join lateral (select u.d + t.b as x from u where u.a = t.a) l",
            "t.b u.d",
            "",
            "t.a u.a",
        ),
        ("select g as x from t cross join generate_series(t.a, 10) as g", "t.a", "", ""),
        ("select v.x from (values (1), ((select max(d) from u))) as v (x)", "u.d", "", ""),
        ("select to_jsonb(u) as x from u", "u.a u.d", "", ""),
        (
            (
                "with recursive r as (select a, b from t union all select r.a, t.b from r join t on t.a = r.b)"
                " select b as x from r where a = 1"
            ),
            *("t.b", "", "t.a t.b"),
        ),
        (
            (
                "with w as (select a, d from u), v as (select w.d + 1 as e, t.c from w join t using (a))"
                " select s.x from (select max(e) as x from v group by c) as s"
            ),
            *("u.d", "", "t.a t.c u.a"),
        ),
    ],
)
def test_each_way_in_which_sql_makes_a_column(
    warehouse: psycopg.Connection, query: str, values: str, conditions: str, rows: str
) -> None:
    with warehouse.transaction(force_rollback=True):
        warehouse.execute(TABLES)
        warehouse.execute(f"create view marts.tried as {query}".encode())
        found = mart_lineage(warehouse)["tried"]
    assert _names(found.values["x"]) == values.split()
    assert _names(found.conditions["x"]) == conditions.split()
    assert _names(found.rows) == rows.split()


# Read off the SQL of the models by a person.
BY_HAND = {
    "revenue_by_month.net": ("invoice.net_amount", ""),
    "revenue_by_month.net_pln": ("invoice.net_amount rate_to_pln.rate", ""),
    "revenue_by_month.invoices": ("", "invoice.corrects_invoice"),
    "revenue_by_month.month": ("invoice.issued_on", ""),
    "rate_to_pln.valid_to": ("exchange_rate.effective_on", "exchange_rate.currency"),
    "headcount.department": ("employee.department employee_history.department", ""),
    "headcount.headcount": ("", "employee.hired_on employee.left_on"),
    "kyc_profile.tax_id_pl": ("company_unmasked.tax_id_pl", ""),
    "kyc_profile.registry_status": ("company_unmasked.status", ""),
    "kyc_profile.bank_accounts_confirmed": ("company_unmasked.bank_accounts", ""),
    "kyc_profile.owners_by_office": ("", "beneficial_owner.ownership_reasons"),
    "kyc_profile.vies_asked_at": ("lookup_cache.answered_at", "lookup_cache.system"),
    "order_status.paid": ("payment.amount", ""),
    "order_status.invoice_number": ("invoice_unmasked.invoice_number", "invoice_unmasked.corrects_invoice"),
    "order_status.invoiced_gross": ("invoice_unmasked.gross_amount", ""),
    "ai_cost_by_project.currency": ("llm_usage.cost_currency", ""),
    "payables.supplier_id": ("purchase_invoice_unmasked.supplier_id supplier_unmasked.supplier_id", ""),
    "receivables.owed_pln": (
        (
            "invoice_unmasked.amount_due invoice_unmasked.gross_amount invoice_unmasked.prepaid_amount payment.amount"
            " rate_to_pln.rate"
        ),
        (
            "invoice_unmasked.corrected_invoices invoice_unmasked.corrects_invoice invoice_unmasked.customer_tax_id"
            " invoice_unmasked.invoice_number invoice_unmasked.issued_on"
        ),
    ),
}


def test_the_marts_are_made_of_what_their_sql_says(warehouse: psycopg.Connection) -> None:
    found = mart_lineage(warehouse)
    for column, (values, conditions) in BY_HAND.items():
        mart, _, name = column.partition(".")
        assert _names(found[mart].values[name]) == values.split(), column
        assert _names(found[mart].conditions[name]) == conditions.split(), column


MASKS_ALONE = {
    "receivables": {"krs", "customer_name"},
    "crm_erp_differences": {"krs"},
    "top_customers_by_quarter": {"krs"},
}
"""What goes through a sub-query and then only tells a person from a company."""


def test_no_column_is_made_up_and_none_is_lost(warehouse: psycopg.Connection) -> None:
    """PostgreSQL records the columns that a view's query names anywhere (pg_depend), also where a star names them and
    nothing is made of them, and where they only tell a person from a company."""
    found = mart_lineage(warehouse)
    recorded: dict[str, set[Column]] = {name: set() for name in found}
    for mart, relation, column in warehouse.execute(
        """
        select v.relname, n.nspname || '.' || r.relname, a.attname
        from pg_class v join pg_rewrite w on w.ev_class = v.oid
        join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
        join pg_class r on d.refclassid = 'pg_class'::regclass and r.oid = d.refobjid and r.oid <> v.oid
        join pg_namespace n on n.oid = r.relnamespace
        join pg_attribute a on a.attrelid = r.oid and a.attnum = d.refobjsubid
        where v.relnamespace = 'marts'::regnamespace and d.refobjsubid > 0
        """
    ):
        recorded[mart].add(Column(relation, column))
    for mart, lineage in found.items():
        said = {each for inputs in (*lineage.values.values(), *lineage.conditions.values()) for each in inputs}
        said |= set(lineage.rows)
        assert said <= recorded[mart], mart
        written = _without_masks((MODELS / f"{mart}.sql").read_text("utf-8"))
        others = {each.name for each in said}  # the column of that name that is meant
        lost = {each.name for each in recorded[mart] - said} - others - MASKS_ALONE.get(mart, set())
        assert not lost & set(re.findall(r"\w+", written)), mart
        assert "*" in written or not lost, mart


def _without_masks(model: str) -> str:
    """The SQL without comments, of masked values the value only."""
    text = re.sub(r"--.*", "", model).replace("count(*)", "")
    return re.sub(r"\{\{ unless_person\('([^']*)'.*?\}\}", r"\1", text)


def _names(columns: tuple[Column, ...]) -> list[str]:
    return [f"{each.relation.partition('.')[2]}.{each.name}".replace(" ", "_") for each in columns]
