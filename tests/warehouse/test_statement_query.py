"""The query that a counted statement asks, whatever is around it."""

from __future__ import annotations

import pytest

from onefold.warehouse.statement_query import query_of


@pytest.mark.parametrize(
    ("statement", "query"),
    [
        ("select 1 /* x */ -- y", "select 1"),
        ("DECLARE c NO SCROLL CURSOR WITH HOLD FOR select $1", "select $1"),
        ("copy (select f(a) from t) to stdout (format csv)", "select f(a) from t"),
        ('copy "a b".t (x, y) to stdout', 'select x, y from "a b".t'),
        ("create temp table x (y) as select 1 with no data", "select 1"),
        ("explain (analyze, verbose) select 1", "select 1"),
        ("explain analyze verbose select 1", "select 1"),
        ("select date $1, interval $2", "select $1::date, $2::interval"),
        ("fetch all from c", None),
        ("set x = 'y'", None),
    ],
)
def test_the_query_within_a_statement_is_found(statement: str, query: str | None) -> None:
    assert query_of(statement) == query
