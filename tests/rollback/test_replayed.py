"""Rollbacks and replays of one stream: what a replay published can be taken out, and before the load it came from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from onefold.errors import Fatal
from onefold.rollback.request import stream_changes
from onefold.warehouse.connection import connect
from tests.load.shop import SUITE, Shop, record
from tests.replay.replaying import ANY_NAME, closed, job, opened, run_of, suite
from tests.rollback.test_rollback import everything, planned, rolled_back


def replayed(shop: Shop) -> int:
    """A row that was refused, and published by a replay once the suite was fixed; the replay's load."""
    run = run_of()
    suite(shop, ANY_NAME)
    load = shop.run(job(shop, run, opened(shop, run)))
    assert closed(shop, run) == (1, 1, 0, 0)
    return load.load_id


def test_a_replay_that_is_rolled_back_leaves_its_rows_waiting_again_and_can_be_undone(shop: Shop) -> None:
    shop.load([record("a", 1, name=None), record("b", 1)])
    replay_load = replayed(shop)
    was = (shop.versions(), shop.query("select _key, state, closed_by_load from ops.quarantine"))
    rollback_id = rolled_back(shop, replay_load)
    assert set(shop.current()) == {"b"}
    assert shop.query("select _key, state, closed_by_load from ops.quarantine") == [("a", "open", None)]
    rolled_back(shop, undo=rollback_id)
    assert (shop.versions(), shop.query("select _key, state, closed_by_load from ops.quarantine")) == was


def test_a_load_whose_refused_rows_a_replay_published_goes_only_with_that_replay(shop: Shop) -> None:
    first = shop.load([record("a", 1, name=None), record("b", 1)])
    replay_load = replayed(shop)
    before = everything(shop)
    with pytest.raises(Fatal, match=rf"were replayed by load {replay_load}"):
        planned(shop, first.load_id)
    assert everything(shop) == before
    rolled_back(shop, first.load_id, replay_load)
    assert shop.current() == {}


def test_of_several_streams_the_one_is_named_that_a_replay_forbids(shop: Shop) -> None:
    stream = shop.system.streams["customer"]
    system = shop.system.model_copy(update={"streams": {"basket": stream, "customer": stream}})
    basket = replace(shop, system=system, stream="basket")
    suite(basket, SUITE)
    of_basket = basket.load([record("b", 1)])
    first = shop.load([record("a", 1, name=None), record("b", 1)])
    replayed(shop)
    both = (of_basket.load_id, first.load_id)
    with (
        connect(shop.url) as connection,
        pytest.raises(Fatal, match=rf"^Rows that load {first.load_id} of shop\.customer had quarantined"),
    ):
        stream_changes(connection, {"shop": system}, both, "rolled_back")


def test_of_a_replay_no_window_goes_missing_its_rows_wait_again(shop: Shop) -> None:
    shop.load([record("a", 1, name=None), record("b", 1)])
    replay_load = replayed(shop)
    shop.load([record("b", 2)])
    plan = planned(shop, replay_load)
    assert [stream.missing for stream in plan.streams] == [()]
    assert "are open in quarantine again" in plan.text and "bin/onefold sync" not in plan.text


def test_a_replay_is_not_taken_in_again_without_the_load_whose_row_it_judged(shop: Shop) -> None:
    first = shop.load([record("a", 1, name=None), record("b", 1)])
    taken_out = rolled_back(shop, replayed(shop))
    rolled_back(shop, first.load_id)
    before = everything(shop)
    with pytest.raises(Fatal, match=rf"Undo the rollback of load {first.load_id} first"):
        planned(shop, undo=taken_out)
    assert everything(shop) == before
