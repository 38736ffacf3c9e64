"""A suite on a table without rows: its verdict, without a run of Great Expectations, which takes a tenth of a second.

What is expected of single rows holds, for there is none that could fail. Queries for unexpected rows are asked, all in
one statement. Every other expectation is about the table as a whole, or its type is misspelt: then Great Expectations
evaluates the suite.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.quality.gate import Finding, batch_query, evaluate_suite
from onefold.quality.suite import Suite

NO_ROWS = {"rows": 0.0}
"""What a finding observed where there were no rows."""
_QUERY = "unexpected_rows_expectation"
_OF_ROWS = frozenset(
    f"expect_{rule}"
    for rule in (
        "column_pair_values_a_to_be_greater_than_b",
        "column_pair_values_to_be_equal",
        "column_pair_values_to_be_in_set",
        "column_value_lengths_to_be_between",
        "column_value_lengths_to_equal",
        "column_values_to_be_between",
        "column_values_to_be_in_set",
        "column_values_to_be_null",
        "column_values_to_be_unique",
        "column_values_to_match_like_pattern",
        "column_values_to_match_like_pattern_list",
        "column_values_to_match_regex",
        "column_values_to_match_regex_list",
        "column_values_to_not_be_in_set",
        "column_values_to_not_be_null",
        "column_values_to_not_match_like_pattern",
        "column_values_to_not_match_like_pattern_list",
        "column_values_to_not_match_regex",
        "column_values_to_not_match_regex_list",
        "compound_columns_to_be_unique",
        "multicolumn_sum_to_equal",
        "select_column_values_to_be_unique_within_record",
    )
)
"""Great Expectations 1.x, the map expectations that it evaluates in SQL (great_expectations/expectations/core)."""


def evaluate_without_rows(
    connection: psycopg.Connection, url: str, schema: str, table: str, suite: Suite, index: str = "_key"
) -> list[Finding]:
    """The findings of the suite on schema.table, which has no rows; one an expectation, in order.

    The connection is in autocommit. Raises what evaluate_suite raises where Great Expectations has to evaluate.
    """
    types = {expectation.type for expectation in suite.expectations}
    if types <= _OF_ROWS | {_QUERY} and not _unexpected_rows(connection, sql.Identifier(schema, table), suite):
        return [Finding(n, e, True, observed=NO_ROWS) for n, e in enumerate(suite.expectations, start=1)]
    return evaluate_suite(url, schema, table, suite, index)


def _unexpected_rows(connection: psycopg.Connection, table: sql.Identifier, suite: Suite) -> bool:
    """Whether some query of the suite gives rows, or cannot be asked (Great Expectations then says which)."""
    queries = [str(e.kwargs["unexpected_rows_query"]) for e in suite.expectations if e.type == _QUERY]
    if not queries:
        return False
    exist = [sql.SQL("exists ({})").format(batch_query(query, table)) for query in queries]
    try:
        row = connection.execute(sql.SQL("select {}").format(sql.SQL(" or ").join(exist))).fetchone()
    except (psycopg.ProgrammingError, psycopg.DataError):
        return True
    return row is None or bool(row[0])
