"""Whoever reads through `onefold sql` is in the audit chain, with the columns and the rows, but without a value."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from click.testing import CliRunner, Result

from onefold.commands.sql import sql
from onefold.platform.postgres import Postgres
from onefold.warehouse.read_columns import read_columns
from onefold.warehouse.statement_text import without_values
from tests.roles import as_role, trusted


def ask(url: str, role: str, query: str, *options: str) -> Result:
    return CliRunner(env={"ONEFOLD_WAREHOUSE_URL": as_role(url, role)}).invoke(sql, [query, *options])


def events(url: str) -> list[tuple]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "select action, actor, payload, result from audit.event where action like 'read.%' order by seq"
        ).fetchall()


@pytest.fixture(scope="module", autouse=True)
def trusted_readers(postgres: Postgres) -> Iterator[None]:
    with trusted(postgres.url("postgres"), "engineer"):
        yield


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("select email, legal_name from conformed.customer", {"email", "legal_name"}),
        ("select count(*) from conformed.customer where phone is not null", {"phone"}),
        ("select c.status from conformed.customer c join conformed.customer d using (email)", {"email", "status"}),
        ("with x as (select * from conformed.customer) select 1 from x order by city", {"city"}),
        ("select to_jsonb(c) from conformed.customer c", {"email", "phone", "legal_name"}),
        ("select exists (select from conformed.customer where email = 'a')", {"email"}),
        ("select tax_id_pl from conformed.customer order by phone", {"tax_id_pl", "phone"}),
        ("select email from conformed.customer except select phone from conformed.customer", {"email", "phone"}),
        ("select 1 from (select distinct c.email from conformed.customer c, conformed.customer d) e", {"email"}),
        (
            """with recursive r as (
                select email from conformed.customer union select phone from conformed.customer join r on city = r.email
            ) select 1 from r""",
            {"email", "phone", "city"},
        ),
        ("select conformed.is_natural_person(phone || email, null) from conformed.customer", {"email", "phone"}),
    ],
)
def test_the_columns_that_a_query_reads_are_known_through_views(warehouse_url: str, query: str, columns: set[str]):
    with psycopg.connect(as_role(warehouse_url, "trusted_engineer"), autocommit=True) as connection:
        read = read_columns(connection, query)
    of_customer = {each.column for each in read or () if each.table == "customer_version"}
    assert columns <= of_customer
    assert of_customer <= columns | {c for c in of_customer if c.startswith("_")} or "to_jsonb" in query


def test_several_statements_and_what_has_no_plan_are_not_guessed(warehouse_url: str):
    with psycopg.connect(as_role(warehouse_url, "trusted_engineer"), autocommit=True) as connection:
        for query in ("select 1; drop table x", "show work_mem", "selekt"):
            assert read_columns(connection, query) is None


def test_a_query_is_recorded_before_its_rows_are_shown_and_when_they_have_ended(warehouse_url: str):
    query = (
        "select email from conformed.customer where email = 'jan.kowalski@example.com' and tax_id_pl <> '5270103391'"
    )
    asked = ask(warehouse_url, "trusted_engineer", query, "--csv")
    assert asked.exit_code == 0, asked.output
    (begin, end) = events(warehouse_url)
    assert begin[0] == "read.begin" and end[0] == "read.end"
    assert begin[1].startswith("role:trusted_engineer/os:")
    assert begin[2]["form"] == "csv" and begin[2]["columns_known"] is True
    assert begin[2]["personal_columns"] == [
        "conformed.customer_version.email",
        "conformed.customer_version.tax_id_pl",
    ]
    assert (end[2]["rows"], end[3]) == (0, "ok")
    with psycopg.connect(warehouse_url) as connection:
        [(kept,)] = connection.execute("select text from audit.statement").fetchall()
        written = str(connection.execute("select array_agg(e::text) from audit.event e").fetchone())
    assert kept == "select email from conformed.customer where email = ? and tax_id_pl <> ?"
    assert "kowalski" not in written and "5270103391" not in written


def test_of_what_a_view_hides_nothing_is_recorded_as_read(warehouse_url: str):
    for role in ("onefold_analyst", "trusted_engineer"):
        assert ask(warehouse_url, role, "select person_name, phone from conformed.customer").exit_code == 0
    found = [payload["personal_columns"] for action, _, payload, _ in events(warehouse_url) if action == "read.begin"]
    assert found == [[], ["conformed.customer_version.person_name", "conformed.customer_version.phone"]]


def test_rows_are_counted_and_a_query_that_fails_is_recorded_too(warehouse_url: str):
    assert ask(warehouse_url, "onefold_analyst", "select generate_series(1, 1500)", "--json").exit_code == 0
    assert ask(warehouse_url, "onefold_analyst", "select email from conformed.customer_version").exit_code != 0
    found = [(action, payload.get("rows"), result) for action, _, payload, result in events(warehouse_url)]
    assert found == [
        ("read.begin", None, "ok"),
        ("read.end", 1500, "ok"),
        ("read.begin", None, "ok"),
        ("read.end", 0, "failed"),
    ]


def test_what_cannot_be_recorded_is_not_run(warehouse_url: str):
    with psycopg.connect(warehouse_url, autocommit=True) as connection:
        connection.execute("revoke execute on all functions in schema conformed from onefold_analyst")
    asked = ask(warehouse_url, "onefold_analyst", "select 'a row'")
    assert asked.exit_code != 0 and "a row" not in asked.output
    assert "was not run" in str(asked.exception)


@pytest.mark.parametrize("role", ["onefold_loader", "onefold_engineer", "onefold_analyst"])
def test_nobody_can_record_a_read_of_somebody_else_or_take_one_back(warehouse_url: str, role: str):
    with psycopg.connect(as_role(warehouse_url, role), autocommit=True) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "select audit.append('role:onefold_auditor/os:x', 'read.begin', 'statement:00', null, null, '{}', 'ok')"
            )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("delete from audit.statement")
        connection.execute("select conformed.record_read('os:x', %s, 'select ?', '{}', false, 'ok')", [b"\0" * 32])
    assert [actor for _, actor, _, _ in events(warehouse_url)] == [f"role:{role}/os:x"]


def test_nobody_can_write_into_the_chain_what_is_not_about_a_read(warehouse_url: str):
    """It can never be erased: what an analyst wrote there of a person would let no erasure of theirs end."""
    with psycopg.connect(as_role(warehouse_url, "onefold_analyst"), autocommit=True) as connection:
        for payload, result in (
            ('{"form": "jan@example.com"}', "ok"),
            ('{"jan@example.com": true}', "ok"),
            ('{"personal_columns": ["conformed.customer.jan@example.com"]}', "ok"),
            ('["jan@example.com"]', "ok"),
            ("{}", "jan@example.com"),
        ):
            with pytest.raises(psycopg.errors.InvalidParameterValue):
                connection.execute(
                    "select conformed.record_read('os:x', %s, 'select ?', %s, false, %s)", [b"\0" * 32, payload, result]
                )
    assert events(warehouse_url) == []


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ("select 'O''Brien', E'a\\'b', 12.5e3, 0xFF, $$x$$, $t$y'$t$ -- Kowalski", "select ?, ?, ?, ?, ?, ?"),
        ("select /* Jan */ a1.b2\n from t where x=-44051401359;", "select a1.b2 from t where x=-?"),
        ('select 1 as "Jan Kowalski", 2 as "plain"', 'select ? as "?", ? as "plain"'),
        ("select 'never closed Kowalski", "select ?"),
        ("select b'01', U&'\\0041', N'x', col_1 from v2", "select ?, ?, ?, col_1 from v2"),
    ],
)
def test_a_statement_is_kept_without_its_values(statement: str, kept: str):
    assert without_values(statement) == kept
