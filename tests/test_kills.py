"""The table of kills that a run of the tests ends with."""

from __future__ import annotations

from collections import Counter

from tests.kills import table


def test_the_table_sums_what_was_killed_by_kind_and_of_the_four_together() -> None:
    counted = Counter(
        {("load", "process"): 3, ("load", "server"): 2, ("conform", "session"): 4, ("demo", "process"): 9}
    )
    rows = [line.rsplit(maxsplit=4) for line in table(counted)]
    assert rows == [
        ["killed", "process", "session", "server", "all"],
        ["load", "3", "0", "2", "5"],
        ["conform", "0", "4", "0", "4"],
        ["migration", "0", "0", "0", "0"],
        ["erasure", "0", "0", "0", "0"],
        ["demo", "9", "0", "0", "9"],
        ["load + conform + migration + erasure", "3", "4", "2", "9"],
    ]
    assert table(Counter()) == []
