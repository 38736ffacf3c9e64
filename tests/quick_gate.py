"""The gate of tests that are about something else than what Great Expectations finds, which takes a third of a load.

It finds the same by one statement of SQL (tests/test_quick_gate.py). Great Expectations itself evaluates each stream's
first load in `make test`, all that tests/conform and tests/torture do, and everything in `make test-all` and
`make torture`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import psycopg
import pytest
from psycopg import sql

from onefold.load import gate_step
from onefold.quality import gate
from onefold.quality.gate import Finding, batch_query
from onefold.quality.suite import Expectation, Suite
from onefold.rollback import late_readings
from onefold.warehouse.connection import connect
from tests.effort import TORTURE

Evaluate = Callable[..., list[Finding]]

FOLDERS = {"change", "load", "migration", "reconcile", "replay", "retention", "rollback"}
ABOUT_SUITES = {"test_no_rows.py", "test_odd_suites.py", "test_quarantine.py", "test_withheld.py"}

FAILING: Mapping[str, str] = {
    "expect_column_values_to_not_be_null": "{column} is null",
    "expect_column_values_to_be_null": "{column} is not null",
    "expect_column_values_to_be_unique": "{column} in (select {column} from {batch} group by 1 having count(*) > 1)",
    "expect_column_values_to_match_regex": "{column} !~ {regex}",
    "expect_column_values_to_be_in_set": "not {column} = any ({value_set})",
    "expect_column_values_to_be_between": "{column} < {min_value} or {column} > {max_value}",
    "expect_column_value_lengths_to_be_between": "length({column}) < {min_value} or length({column}) > {max_value}",
}
"""What is true of a row that fails. A null fails nothing but the first, and a bound that is not given is null."""


def evaluate_quickly(url: str, schema: str, table: str, suite: Suite, index: str = "_key") -> list[Finding]:
    """What evaluate_suite finds; it is asked itself where the suite expects anything else, or cannot be evaluated."""
    batch = sql.Identifier(schema, table)
    queries = [_failing(expectation, batch) for expectation in suite.expectations]
    known = [query for query in queries if query]
    if not queries:
        return []
    count = sql.SQL(", ").join(sql.SQL("(select count(*) from ({}) failing)").format(query) for query in known)
    try:
        if len(known) < len(queries):
            return gate.evaluate_suite(url, schema, table, suite, index)
        with connect(url) as connection:
            (counted,) = connection.execute(sql.SQL("select {}").format(count)).fetchall()
    except psycopg.Error:
        return gate.evaluate_suite(url, schema, table, suite, index)
    rows_of = sql.SQL("select {} from ({}) failing")
    return [
        Finding(n, expectation, False, rows, {}, rows_of.format(sql.Identifier(index), query))
        if rows
        else Finding(n, expectation, True)
        for n, (expectation, query, rows) in enumerate(zip(suite.expectations, known, counted, strict=True), start=1)
    ]


def _failing(expectation: Expectation, batch: sql.Identifier) -> sql.Composable | None:
    """A query for the rows that fail; None where only Great Expectations knows."""
    given = dict(expectation.kwargs)
    if query := given.pop("unexpected_rows_query", None):
        return batch_query(str(query), batch)
    condition, column = FAILING.get(expectation.type), sql.Identifier(str(given.pop("column", "")))
    if not condition or given.keys() - {"regex", "value_set", "min_value", "max_value"}:
        return None
    bounds = {"min_value": None, "max_value": None}
    values = {name: sql.Literal(value) for name, value in (bounds | given).items()}
    where = sql.SQL(condition).format(column=column, batch=batch, **values)
    return sql.SQL("select * from {} where {}").format(batch, where)


def gate_of(config: pytest.Config) -> Evaluate:
    """How this run of the tests evaluates suites that are not what a test is about."""
    return gate.evaluate_suite if TORTURE or config.getoption("matrix") == "full" else evaluate_quickly


@pytest.fixture(autouse=True)
def _judged_quickly(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loads and rollbacks of these folders' tests are judged so."""
    if request.path.parent.name in FOLDERS and request.path.name not in ABOUT_SUITES:
        for module in (gate_step, late_readings):
            monkeypatch.setattr(module, "evaluate_suite", gate_of(request.config))
