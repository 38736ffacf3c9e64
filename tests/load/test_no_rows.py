"""The gate of a load that brings nothing: the verdict without a run of Great Expectations, and on record."""

import pytest

from onefold.errors import Fatal, Rejected
from onefold.load import gate_step
from onefold.quality import no_rows
from tests.load.shop import Shop, record

QUERY = """
  - type: unexpected_rows_expectation
    kwargs: {unexpected_rows_query: "%s"}
"""


@pytest.fixture
def great_expectations(monkeypatch):
    """How often it was run."""
    runs = []

    def counted(*arguments, **named):
        runs.append(arguments)
        return real(*arguments, **named)

    real = gate_step.evaluate_suite
    for module in (gate_step, no_rows):
        monkeypatch.setattr(module, "evaluate_suite", counted)
    return runs


def extend(shop: Shop, text: str) -> None:
    suite = shop.suites / "shop__customer.yaml"
    suite.write_text(suite.read_text().rstrip("\n") + text)


def test_a_load_without_rows_passes_without_great_expectations_and_the_record_says_no_rows(shop, great_expectations):
    extend(shop, QUERY % "select * from {batch} where credit > 100;")
    for given in ([], [record("a", 1, deleted=True)]):
        shop.load(given)
        assert great_expectations == []
        assert (
            shop.query(
                "select success, unexpected_rows, observed from ops.gate_result"
                " where load_id = (select max(load_id) from ops.load) order by position"
            )
            == [(True, None, {"rows": 0})] * 5
        )
        assert shop.query(
            "select payload -> 'rows', payload -> 'expectations', payload -> 'failed' from audit.event"
            " where action = 'load.gate' order by seq desc limit 1"
        ) == [(0, 5, 0)]
    shop.load([record("a", 2)])
    assert len(great_expectations) == 1
    shop.load([record("a", 2)])  # read again, unchanged
    assert len(great_expectations) == 1


@pytest.mark.parametrize(
    "expectation",
    [
        "\n  - {type: expect_table_row_count_to_be_between, kwargs: {min_value: 1}}\n",
        QUERY % "select 'none' as _key from {batch} having count(*) = 0",
    ],
)
def test_what_is_expected_of_the_table_as_a_whole_is_judged_on_no_rows_too(shop, great_expectations, expectation):
    extend(shop, expectation)
    if "row_count" in expectation:
        with pytest.raises(Rejected, match="expect_table_row_count_to_be_between"):
            shop.load([])
    else:
        shop.load([])
        assert shop.query("select success from ops.gate_result order by position desc limit 1") == [(False,)]
    assert len(great_expectations) == 1


@pytest.mark.parametrize(
    "expectation",
    [
        "\n  - {type: expect_column_values_to_not_be_nul, kwargs: {column: name}}\n",
        QUERY % "select * from {batch} where no_such_column > 1",
    ],
)
def test_a_misspelt_expectation_fails_the_gate_on_no_rows_too(shop, expectation):
    extend(shop, expectation)
    with pytest.raises(Fatal, match=r"suite shop__customer"):
        shop.load([])
