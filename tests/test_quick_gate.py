"""The quick gate finds what Great Expectations finds."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest

from onefold.quality.gate import Finding, evaluate_suite
from onefold.quality.suite import Expectation, Suite
from tests import quick_gate
from tests.quick_gate import FAILING, evaluate_quickly

NAMES = ["Ann", "Ann", "B", None, "it's", "", "ąę 100 %", 'a "b" {c}']
EXPECTED = (
    *(("expect_column_values_to_not_be_null", {"column": column}) for column in ("name", "number")),
    ("expect_column_values_to_be_null", {"column": "name"}),
    *(("expect_column_values_to_be_unique", {"column": column}) for column in ("_key", "name", "number", "day")),
    ("expect_column_values_to_match_regex", {"column": "name", "regex": r"^[A-Z%{}'\"]{1,3}"}),
    ("expect_column_values_to_match_regex", {"column": "name", "regex": "."}),
    ("expect_column_values_to_be_in_set", {"column": "name", "value_set": ["Ann", "it's", ""]}),
    ("expect_column_values_to_be_in_set", {"column": "number", "value_set": [0, 1, 2, 3, 4, 5, 6, 7]}),
    ("expect_column_values_to_be_between", {"column": "number", "min_value": 2}),
    ("expect_column_values_to_be_between", {"column": "number", "min_value": 0, "max_value": 4}),
    ("expect_column_values_to_be_between", {"column": "day", "max_value": "2026-01-05"}),
    ("expect_column_value_lengths_to_be_between", {"column": "name", "min_value": 1}),
    ("expect_column_value_lengths_to_be_between", {"column": "name", "min_value": 2, "max_value": 4}),
    ("unexpected_rows_expectation", {"unexpected_rows_query": "select * from {batch} where name ~ 'A{1}n{2}'"}),
    ("unexpected_rows_expectation", {"unexpected_rows_query": "select * from {batch} where number > 99;"}),
)
SUITE = Suite(
    name="people",
    expectations=[Expectation(type=kind, kwargs=given) for kind, given in EXPECTED],
)


@pytest.fixture
def people(warehouse_url: str) -> str:
    with psycopg.connect(warehouse_url, autocommit=True) as owner:
        owner.execute("create table landing.people (_key text, name text, number integer, day date)")
        with owner.cursor() as cursor:
            cursor.executemany(
                "insert into landing.people values (%s, %s, %s, %s)",
                [(str(n), name, None if n == 6 else n % 6, date(2026, 1, n + 1)) for n, name in enumerate(NAMES)],
            )
    return warehouse_url


def told(url: str, findings: list[Finding]) -> list[object]:
    """All of the findings, with the rows that their queries give."""
    with psycopg.connect(url) as owner:
        rows = [each.rows_query and sorted(owner.execute(each.rows_query).fetchall()) for each in findings]
    return [
        (each.position, each.expectation, each.success, each.unexpected_rows, each.observed, found)
        for each, found in zip(findings, rows, strict=True)
    ]


def test_the_quick_gate_finds_what_great_expectations_finds(people: str, monkeypatch: pytest.MonkeyPatch) -> None:
    by_great_expectations = told(people, evaluate_suite(people, "landing", "people", SUITE))
    monkeypatch.setattr(quick_gate.gate, "evaluate_suite", None)
    assert told(people, evaluate_quickly(people, "landing", "people", SUITE)) == by_great_expectations
    assert {kind for kind, _ in EXPECTED} >= FAILING.keys()
    assert len({each.success for each in evaluate_quickly(people, "landing", "people", SUITE)}) == 2


@pytest.mark.parametrize(
    "unknown",
    [
        Expectation(
            type="expect_column_values_to_be_between", kwargs={"column": "number", "min_value": 0, "strict_min": True}
        ),
        Expectation(type="expect_column_values_to_not_be_null", kwargs={"column": "none"}),
    ],
)
def test_what_it_does_not_know_is_left_to_great_expectations(
    people: str, unknown: Expectation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_gate.gate, "evaluate_suite", lambda *given: [given])
    suite = Suite(name="people", expectations=[unknown])
    assert evaluate_quickly(people, "landing", "people", suite) == [(people, "landing", "people", suite, "_key")]
