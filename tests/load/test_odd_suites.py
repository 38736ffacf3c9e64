"""What a suite names may hold any character: it is a value, never a part of a statement, a pattern or a template."""

from __future__ import annotations

import msgspec
import pytest

from tests.load.shop import Shop, record

ODD = [
    "it's",
    "'; drop table ops.load; --",
    '"quoted"',
    """both ' and " of them""",
    """"'); drop table ops.load; --""",
    "\\g<0> \\1",
    "50%",
    "100%%",
    "%s and %(name)s",
    "{batch}",
    "{0} {",
    "{{ jinja }}",
    "back\\slash",
    "\\'",
    "E'\\x41'",
    ":bind",
    "$1 $$ $tag$",
    "a?b",
    "line\nbreak",
    "--",
    "/* */",
    "żółw 🐢",
    "",
]


def fails_exactly_what_is_not_in(shop: Shop, values: list[str]) -> None:
    """A suite with these values passes them, and fails the rows that have others."""
    suite = {
        "name": "shop__customer",
        "expectations": [
            {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "nick", "value_set": values}},
            {"type": "expect_column_values_to_not_be_in_set", "kwargs": {"column": "name", "value_set": values}},
        ],
    }
    (shop.suites / "shop__customer.yaml").write_bytes(msgspec.json.encode(suite))
    good = [record(f"k{n}-{m}", n, nick=value) for n in range(40) for m, value in enumerate(values)]
    bad = [record(f"bad{n}", 50, nick=f"{value}x") for n, value in enumerate(values)]
    worse = [record("worse", 51, nick=values[0], name=values[0])]
    load = shop.load([*good, *bad, *worse])
    assert (load.state, load.rows_new, load.rows_quarantined) == ("published", len(good), len(bad) + 1)
    assert {key for (key,) in shop.query("select _key from ops.quarantine")} == {r.key for r in (*bad, *worse)}


def test_a_value_set_may_hold_any_text_and_fails_exactly_the_rows_that_are_not_in_it(shop: Shop) -> None:
    fails_exactly_what_is_not_in(shop, ODD)


@pytest.mark.full_matrix
@pytest.mark.parametrize("odd", ODD)
def test_so_it_is_with_each_text_alone(shop: Shop, odd: str) -> None:
    fails_exactly_what_is_not_in(shop, [odd])
