"""Loads of the past beside those that bring fresh data: the same tables in the end, and nobody in the way."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from onefold.connectors.window import BEGINNING
from onefold.errors import Busy
from onefold.load import steps
from tests.load.shop import MORNING, Shop, at, pages, record

HISTORY = [record(f"k{n}", n) for n in range(0, 60, 5)] + [record("twice", 12), record("twice", 47, name="Newer")]
"""Twelve records and one that was changed, within an hour."""


def within(start: float, end: float) -> list:
    """What the shop gives of a window."""
    return [each for each in HISTORY if at(start) <= each.cursor < at(end)]


def load(shop: Shop, start: float, end: float) -> None:
    shop.load(within(start, end), window=(start, end), yields_to_fresh=True)


def not_over(_dag_id: str, _run_id: str) -> bool:
    return False


def test_a_backfill_repeated_in_another_order_and_overlapping_ends_as_one_load_over_the_union(
    shop, warehouse_factory, tmp_path
):
    with warehouse_factory() as url, pytest.MonkeyPatch.context() as environment:
        environment.setenv("ONEFOLD_HOME", str(tmp_path / "another"))  # each warehouse has its own audit anchor
        at_once = Shop(url, shop.suites)
        load(at_once, 0, 60)
        expected = at_once.current()
    hours = [(0, 20), (20, 40), (40, 60)]
    for start, end in (*reversed(hours), (10, 50), *hours, (30, 60)):
        load(shop, start, end)
    assert shop.current() == expected
    before = shop.versions()
    for start, end in hours:
        load(shop, start, end)
    assert shop.versions() == before


@pytest.mark.parametrize("order", itertools.permutations([(0, 20), (20, 40), (40, 60)]))
def test_whichever_windows_were_backfilled_the_next_load_misses_nothing(shop, order):
    shop.load([], yields_to_fresh=False)  # the schedule has been here, and found nothing so far
    shop.execute("update ops.cursor set window_end = '2026-03-01T08:00Z'")
    for start, end in order[:2]:
        load(shop, start, end)
    shop.load([])
    (not_loaded, _) = order[2]
    assert shop.asked[-1][0].start <= MORNING + timedelta(minutes=not_loaded)


def test_a_backfill_beyond_what_is_published_leaves_no_gap_for_the_next_load(shop):
    shop.load([record("a", 1)])
    shop.execute("update ops.cursor set window_end = '2026-03-01T08:02Z'")
    shop.load([record("late", 50)], window=(40, 60))
    assert shop.query("select value from ops.cursor") == [(at(1),)]
    shop.load([record("between", 20), record("late", 50)])
    assert shop.asked[-1][0].start < MORNING + timedelta(minutes=2)
    assert set(shop.current()) == {"a", "between", "late"}


def test_a_backfill_before_the_first_load_leaves_the_rest_of_the_history_to_it(shop):
    shop.load([record("b", 50)], window=(40, 60))
    assert shop.query("select * from ops.cursor") == []
    shop.load([record("a", 1), record("b", 50)])
    assert shop.asked[-1][0].start == BEGINNING
    assert set(shop.current()) == {"a", "b"}


def test_a_busy_stream_is_waited_for_and_is_no_failure(shop):
    steps.land(shop.job(pages([record("a", 1)]), run="past"))
    with pytest.raises(Busy, match="run past"):
        steps.land(shop.job(pages([record("b", 2)]), run="fresh", run_is_over=not_over))
    assert shop.query("select run_id, state, error from ops.load") == [("past", "landed", None)]
    assert shop.query("select count(*) from audit.event where result <> 'ok'") == [(0,)]


def test_a_backfill_lets_fresh_data_go_first(shop):
    past = shop.job(pages([record("a", 1)]), run="past_1", yields_to_fresh=True)
    steps.land(past)
    fresh = shop.job(pages([record("b", 50)]), run="fresh", run_is_over=not_over)
    with pytest.raises(Busy):
        steps.land(fresh)
    steps.gate(past)
    steps.publish(past)
    following = shop.job(pages([record("c", 2)]), run="past_2", yields_to_fresh=True, run_is_over=not_over)
    with pytest.raises(Busy, match="waited for by run fresh, which brings fresh data and goes first"):
        steps.land(following)
    shop.run(fresh)
    shop.run(following)
    assert shop.query("select run_id from ops.load where state = 'published' order by load_id") == [
        ("past_1",),
        ("fresh",),
        ("past_2",),
    ]
    assert shop.query("select * from ops.queue") == []


def test_a_backfill_waits_for_nobody_whose_run_is_over(shop):
    steps.land(shop.job(pages([record("a", 1)]), run="past_1"))
    with pytest.raises(Busy):
        steps.land(shop.job(pages([record("b", 2)]), run="fresh", run_is_over=not_over))
    shop.run(shop.job(pages([record("c", 2)]), run="past_2", yields_to_fresh=True, run_is_over=lambda *_: True))
    assert shop.query("select * from ops.queue") == []


def test_two_backfills_do_not_wait_for_one_another(shop):
    steps.land(shop.job(pages([record("a", 1)]), run="past_1", yields_to_fresh=True))
    with pytest.raises(Busy):
        steps.land(shop.job(pages([record("b", 2)]), run="past_2", yields_to_fresh=True, run_is_over=not_over))
    assert shop.query("select * from ops.queue") == []
