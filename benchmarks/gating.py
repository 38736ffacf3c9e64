"""The gate: 26 expectations on typed candidates through Great Expectations, against one hand-written statement and
against the same checks as dbt tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from benchmarks.as_dbt_tests import THREADS, DbtTests
from benchmarks.measure import Warehouse, medians, seconds
from benchmarks.table import Row
from onefold.quality.gate import evaluate_suite
from onefold.quality.suite import Expectation, Suite
from onefold.warehouse.connection import connect

TEXTS = ("id", "name", "nip", "regon", "krs", "email", "phone", "street", "city", "postal_code", "country", "status")
REGEXES = {
    "nip": "^[0-9]{10}$",
    "regon": "^[0-9]{9}$",
    "krs": "^[0-9]{10}$",
    "postal_code": "^[0-9]{2}-[0-9]{3}$",
    "email": "^[^@ ]+@[^@ ]+$",
}
SETS = {"status": ["Active", "Inactive", "Prospect"], "currency": ["PLN", "EUR"]}
FOREIGN_KEY = "country not in (select code from landing.countries)"
WRONG = "row_number % 1000 = 7"


def suite() -> Suite:
    """26: 12 not null, 1 unique, 5 patterns, 2 sets, 1 foreign key, 1 range, 2 lengths, freshness and row count."""

    def column(kind: str, name: str, **kwargs: object) -> Expectation:
        return Expectation(type=f"expect_column_{kind}", kwargs={"column": name, **kwargs})

    return Suite(
        name="bench",
        expectations=[
            *(column("values_to_not_be_null", name) for name in TEXTS),
            column("values_to_be_unique", "id"),
            *(column("values_to_match_regex", name, regex=regex) for name, regex in REGEXES.items()),
            *(column("values_to_be_in_set", name, value_set=values) for name, values in SETS.items()),
            Expectation(
                type="unexpected_rows_expectation",
                kwargs={"unexpected_rows_query": f"select * from {{batch}} where {FOREIGN_KEY}"},  # noqa: S608
                description="a country that is not in the list of countries",
            ),
            column("values_to_be_between", "credit_limit", min_value=0, max_value=1_000_000),
            column("value_lengths_to_be_between", "name", min_value=1, max_value=200),
            column("value_lengths_to_be_between", "street", min_value=1, max_value=100),
            column("max_to_be_between", "changed", min_value="2026-01-01T00:00:00+00:00"),
            Expectation(type="expect_table_row_count_to_be_between", kwargs={"min_value": 1}),
        ],
    )


def by_hand() -> str:
    """One statement that computes the same figures."""
    wrong = [
        *(f"count(*) filter (where {name} is null)" for name in TEXTS),
        *(f"count(*) filter (where not {name} ~ '{regex}')" for name, regex in REGEXES.items()),
        *(
            f"count(*) filter (where {name} not in ({', '.join(repr(value) for value in values)}))"
            for name, values in SETS.items()
        ),
        f"count(*) filter (where {FOREIGN_KEY})",
        "count(*) filter (where credit_limit not between 0 and 1000000)",
        "count(*) filter (where length(name) not between 1 and 200)",
        "count(*) filter (where length(street) not between 1 and 100)",
        "max(changed)",
        "count(*)",
        # by itself, or its sort takes the whole rows along and keeps the rest from both cores
        "(select count(*) - count(distinct id) from landing.candidates)",
    ]
    return f"select {', '.join(wrong)} from landing.candidates"  # noqa: S608 - our own constants


def measure(warehouse: Warehouse, rows: int, rounds: int) -> Iterator[Row]:
    """When everything holds, and when five expectations fail on one row in a thousand."""
    with (
        warehouse.fresh() as url,
        connect(url, autocommit=True) as connection,
        tempfile.TemporaryDirectory(prefix="onefold-bench-dbt-") as folder,
    ):
        _countries(connection)
        owner = warehouse.server.url(urlsplit(url).path[1:])  # to keep failing rows dbt makes a schema of its own
        tests = DbtTests(suite(), owner, Path(folder))
        for name, failing, target in (("all holds", 0, 1.5), ("five fail", 5, 3.0)):
            _candidates(connection, rows, failing > 0)
            figures = medians(_round(connection, url, tests, failing) for _ in range(rounds))
            gate, hand, dbt = (figures[figure] for figure in ("gate", "hand", "dbt"))
            detail = f"gate {gate:.2f} s, one statement {hand:.2f} s"
            yield Row(f"gate, {name} / one statement", gate / hand, target, detail, smaller=True)
            how = f"in process, threads={THREADS}, parsed before" + (", --store-failures" if failing else "")
            detail = f"gate {gate:.2f} s, dbt tests {dbt:.2f} s ({how})"
            yield Row(f"gate, {name} / dbt tests", gate / dbt, 1.0, detail, smaller=True)


def _round(connection: psycopg.Connection, url: str, tests: DbtTests, failing: int) -> dict[str, float]:
    """Both keep the keys or rows of what fails."""

    def gate() -> None:
        findings = evaluate_suite(url, "landing", "candidates", suite())
        assert (len(findings), sum(not finding.success for finding in findings)) == (26, failing)
        for finding in findings:
            if finding.rows_query:
                connection.execute("create temp table refused as " + finding.rows_query.as_string(connection))
                connection.execute("drop table refused")

    def dbt() -> None:
        assert (tests.run(keep_failures=failing > 0), tests.count) == (failing, 26)

    return {"hand": seconds(lambda: connection.execute(by_hand())), "gate": seconds(gate), "dbt": seconds(dbt)}


def _countries(connection: psycopg.Connection) -> None:
    connection.execute(
        """
        create unlogged table landing.countries as
        select chr(65 + number / 26) || chr(65 + number % 26) as code from generate_series(0, 675) number
        """
    )
    connection.execute("vacuum analyze landing.countries")


def _candidates(connection: psycopg.Connection, rows: int, failing: bool) -> None:
    bad = WRONG if failing else "false"
    connection.execute("drop table if exists landing.candidates")
    connection.execute(
        f"""
        create unlogged table landing.candidates as
        select lpad(row_number::text, 18, '0') as _key, lpad(row_number::text, 18, '0') as id,
               'Przedsiębiorstwo Usługowo-Handlowe ' || row_number as name,
               case when {bad} then 'x' else (5000000000 + row_number)::text end as nip,
               (100000000 + row_number)::text as regon, lpad(row_number::text, 10, '0') as krs,
               case when {bad} then 'nobody' else 'biuro' || row_number || '@example.pl' end as email,
               '+48 22 100 20 ' || row_number % 100 as phone, 'Świętokrzyska ' || row_number % 200 as street,
               'Wrocław' as city, case when {bad} then 'ABC' else '50-100' end as postal_code, 'PL' as country,
               case when {bad} then 'Zombie' else 'Active' end as status,
               case when {bad} then -1 else row_number % 100000 end::numeric as credit_limit, 'PLN' as currency,
               timestamptz '2026-03-01' + row_number * interval '1 second' as changed
        from generate_series(1, {rows}) row_number
        """  # noqa: S608 - numbers and our own constants
    )
    connection.execute("vacuum analyze landing.candidates")
