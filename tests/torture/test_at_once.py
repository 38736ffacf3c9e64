"""Two loads of one stream at the same time: one waits or is refused clearly, and nothing is ever mixed."""

from __future__ import annotations

import time

from tests.torture.loader import Loading
from tests.torture.observing import lies
from tests.torture.wire import Moment, Wire
from tests.torture.world import HOURLY, NIGHTLY, Warehouse, World

OTHER = "manual__other"


def one_after_the_other(world: World) -> list[tuple]:
    """What staging shows when nothing happens at once."""
    with world.warehouse() as warehouse:
        for run in (NIGHTLY, OTHER):
            load(warehouse, run)
        return warehouse.current()


def load(warehouse: Warehouse, run: str) -> None:
    loading = Loading(warehouse.job(run))
    assert loading.wait()
    assert loading.end == "done"


def until_it_waits_or_ends(warehouse: Warehouse, second: Loading) -> None:
    """Until the second load is through, or refused, or waits for a lock that the first holds."""
    deadline = time.monotonic() + 60
    waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    while not second.wait(0.05) and not warehouse.query(waiting):
        assert time.monotonic() < deadline, "the second load neither goes on nor ends"


def test_a_second_load_at_any_step_of_the_first_waits_or_is_refused_and_nothing_is_mixed(
    world: World, wire: Wire, full: bool
):
    expected = one_after_the_other(world)
    with world.warehouse() as warehouse:
        last = len(Loading(warehouse.job(NIGHTLY, wire.url(warehouse.loader_url))).carry(wire).orders)
    refused = 0
    # While it lands, is judged, and publishes: another run; and this very one, taken for dead and started anew.
    each = [(n, run) for n in range(1, last, 3) for run in (OTHER, NIGHTLY)]
    for number, other in each if full else [(last // 6, OTHER), (last // 2, NIGHTLY), (last - 20, OTHER)]:
        with world.warehouse() as warehouse:
            second: list[Loading] = []

            def meanwhile(warehouse=warehouse, second=second, other=other) -> bool:
                second.append(Loading(warehouse.job(other)))
                until_it_waits_or_ends(warehouse, second[0])  # the first stands still so long
                return True

            first = Loading(warehouse.job(NIGHTLY, wire.url(warehouse.loader_url)))
            first.carry(wire, Moment(number), meanwhile)
            assert first.end == "done", (number, other)
            assert second[0].end or second[0].wait()
            if second[0].end != "done":
                refused += 1
                assert second[0].end.startswith("Busy: shop.customer "), second[0].end
                assert "is being loaded by" in second[0].end or "in progress" in second[0].end
            assert lies(warehouse.url) == []
            load(warehouse, OTHER)
            assert warehouse.current() == expected
            assert dict(warehouse.query("select run_id, state from ops.load")) == {
                OTHER: "published",
                NIGHTLY: "published",
            }
            assert lies(warehouse.url) == []
    assert refused


def test_runs_that_race_for_one_stream_are_all_published_one_after_the_other(world: World, full: bool):
    expected = one_after_the_other(world)
    for _ in range(10 if full else 1):
        with world.warehouse() as warehouse:
            runs = [NIGHTLY, HOURLY, OTHER, "manual__another"]
            racing = [Loading(warehouse.job(run), patience=30) for run in runs]
            assert all(one.wait() for one in racing)
            assert [one.end for one in racing] == ["done"] * 4
            assert warehouse.current() == expected
            assert sorted(warehouse.query("select run_id, state from ops.load")) == [
                (run, "published") for run in sorted(runs)
            ]
            assert lies(warehouse.url) == []
