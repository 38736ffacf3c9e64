"""Whatever kills a load, and whenever: tried again, it ends as if nothing had been, row by row."""

from __future__ import annotations

import random
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from onefold.load import change_detection, publish, steps
from tests.kills import count_kill
from tests.torture.loader import STEPS, Loading
from tests.torture.observing import chain_fault, landing, lies, observe, told_once
from tests.torture.wire import Moment, Order, Wire
from tests.torture.world import HOURLY, NIGHTLY, Warehouse, World

RUNS = (NIGHTLY, HOURLY)
SEED = 20260301
PUBLISHED = "the load is published"
FILLED = "the table that becomes a part of staging is filled"
"""What a large load does in another way than a small one."""


@pytest.fixture(scope="module", params=["copied into staging", "made a part of staging"])
def orders(world: World, request: pytest.FixtureRequest) -> Iterator[dict[str, list[Order]]]:
    """What each of the two loads orders the server to do when nothing disturbs it; small loads, and then large ones."""
    with pytest.MonkeyPatch.context() as patched:
        if request.param == "made a part of staging":
            for module in (change_detection, publish):
                patched.setattr(module, "CHILD_TABLE_ROWS", 1)
        yield _undisturbed_orders(world)


def _undisturbed_orders(world: World) -> dict[str, list[Order]]:
    wire = Wire(world.server.port)
    given = {}
    for run in RUNS:
        with world.warehouse(world.template(run)) as warehouse:
            loading = Loading(warehouse.job(run, wire.url(warehouse.loader_url))).carry(wire)
            assert loading.end == "done"
            assert observe(warehouse.url) == world.undisturbed((1, 2)).ended[run]
            given[run] = loading.orders
    wire.close()
    return given


@pytest.fixture(scope="module")
def proven() -> set[str]:
    """The kinds of moments at which a load was killed, in either way of publishing."""
    return set()


def try_again(world: World, warehouse: Warehouse, run: str, step: str, *, crashed: bool = False) -> None:
    """What Airflow does: the task that was killed once more; and the load that follows.

    After each step, from the one that was killed on, and at the end, everything is as it is when nothing disturbs the
    loads.
    """
    order = list(STEPS)
    for at_hand in RUNS[RUNS.index(run) :]:

        @contextmanager
        def compare(now: str, at_hand: str = at_hand) -> Iterator[None]:
            yield
            before_the_kill = at_hand == run and order.index(now) < order.index(step)
            if now != "publish" and not before_the_kill:
                ids = load_ids(warehouse)
                landed = landing(warehouse.url, ids[RUNS.index(at_hand)])
                assert landed == world.undisturbed(ids).landed[at_hand, now]

        steps.run(warehouse.job(at_hand, is_retry=at_hand == run), compare)
        expected = world.undisturbed(load_ids(warehouse))
        seen = observe(warehouse.url)
        if crashed:
            assert told_once(seen) == told_once(expected.ended[at_hand])
        else:
            assert seen == expected.ended[at_hand]
        assert lies(warehouse.url) == []
        assert chain_fault(warehouse.url, warehouse.home / "audit" / "anchor.jsonl") is None


def load_ids(warehouse: Warehouse) -> tuple[int, int]:
    """The ids of both loads; the second's, where it has not begun yet, is the one after the first's."""
    ids = [load_id for (load_id,) in warehouse.query("select load_id from ops.load order by 1")]
    return (ids[0], ids[1] if len(ids) > 1 else ids[0] + 1)


def disturb(world: World, wire: Wire, run: str, moment: Moment) -> None:
    """Kill a load at the moment, and try it again."""
    with world.warehouse(world.template(run)) as warehouse:
        loading = Loading(warehouse.job(run, wire.url(warehouse.loader_url)))
        loading.carry(wire, moment, loading.kill)
        if moment.seconds == 0 or loading.end != "done":
            assert loading.end == "killed", f"{run}, {moment}"
            count_kill("load", "process")
        warehouse.wait_until_the_dead_are_gone()
        assert lies(warehouse.url) == []
        try_again(world, warehouse, run, loading.step)


def boundaries(orders: dict[str, list[Order]]) -> list[tuple[str, Moment]]:
    """Before and after each order at whose end no transaction is open, so that what it did is committed."""
    return [
        (run, Moment(order.number, phase))
        for run in RUNS
        for order in orders[run]
        if order.over
        for phase in ("before", "after")
    ]


def one_of_each_kind(orders: dict[str, list[Order]], proven: set[str]) -> list[tuple[str, Moment]]:
    """What a load can have done and no more, one moment of each kind: after the first order of it, and before the one
    that publishes. Where the kinds are proven for one way of publishing, those in which the other differs."""
    done = moments_by_kind(orders[NIGHTLY])
    published = moments_by_kind(orders[HOURLY])[PUBLISHED]
    kinds = [kind for kind in done if kind not in proven or kind in (FILLED, PUBLISHED)]
    proven.update(kinds)
    return [
        *((NIGHTLY, Moment(done[kind].number)) for kind in kinds),
        (NIGHTLY, Moment(done[PUBLISHED].number, "before")),
        (HOURLY, Moment(published.number)),
    ]


def moments_by_kind(orders: list[Order]) -> dict[str, Order]:
    """The first order of each kind, in the order in which a load comes to them."""
    over = [order for order in orders if order.over]
    commits = [order for order in over if b"COMMIT" in order.message]
    pages = [order for order in over if order.message[:1] == b"c"]
    return {
        "a statement of its own is carried out": next(order for order in over if order.message[:1] == b"S"),
        "the load has begun": commits[0],
        "a page has landed": pages[0],
        "all pages have landed": next(commit for commit in commits if commit.number > pages[-1].number),
        "a table of landing is made": _first(over, b"create unlogged table"),
        FILLED: next(order for order in over if re.search(rb"create .*table .*__candidate", order.message)),
        "a table of landing is dropped": _first(over, b"drop table"),
        "rows are written outside a transaction": _first(over, b"insert into"),
        "Great Expectations has read": _first(over, b"ROLLBACK"),
        "the load is judged": commits[-3],
        PUBLISHED: commits[-2],
        "what follows is written down": commits[-1],
    }


def _first(orders: list[Order], text: bytes) -> Order:
    """The first of them whose text begins so."""
    return next(order for order in orders if order.message[5:].lstrip().startswith(text))


def between(orders: dict[str, list[Order]], number: int) -> list[tuple[str, Moment]]:
    """So many random moments: in the middle of an order on its way to the server, or some time after it."""
    chance = random.Random(SEED)
    moments = []
    for _ in range(number):
        run = chance.choice(RUNS)
        at = chance.randrange(len(orders[run]) - 1)
        gap = orders[run][at + 1].at - orders[run][at].at
        if chance.random() < 0.3:
            moments.append((run, Moment(at + 1, "within")))
        else:
            moments.append((run, Moment(at + 1, "after", chance.uniform(0, gap) + 1e-6)))
    return moments


def test_a_load_killed_at_any_commit_boundary_and_tried_again_ends_as_if_undisturbed(
    world: World, wire: Wire, orders: dict[str, list[Order]], proven: set[str], full: bool
):
    for run, moment in boundaries(orders) if full else one_of_each_kind(orders, proven):
        disturb(world, wire, run, moment)


def test_a_load_killed_at_any_random_moment_and_tried_again_ends_as_if_undisturbed(
    world: World, wire: Wire, orders: dict[str, list[Order]], full: bool
):
    for run, moment in between(orders, 120 if full else 2):
        disturb(world, wire, run, moment)


def test_a_load_during_which_postgresql_dies_says_so_and_tried_again_ends_as_if_undisturbed(
    world: World, wire: Wire, orders: dict[str, list[Order]], full: bool
):
    def die() -> bool:
        world.server.stop(signal.SIGQUIT)
        return False

    for run, moment in between(orders, 50 if full else 2):
        with world.warehouse(world.template(run)) as warehouse:
            loading = Loading(warehouse.job(run, wire.url(warehouse.loader_url))).carry(wire, moment, die)
            world.server.stop(signal.SIGQUIT)  # if the load had ended before its moment came
            world.server.start()
            if loading.end != "done":
                assert loading.end.startswith("Retriable: "), loading.end
                count_kill("load", "server")
            try_again(world, warehouse, run, loading.step, crashed=True)


def test_a_killed_load_that_nobody_tries_again_is_closed_as_abandoned_and_leaves_nothing_in_landing(
    world: World, wire: Wire, orders: dict[str, list[Order]], full: bool
):
    with world.warehouse() as warehouse:
        for do in STEPS.values():
            do(warehouse.job(HOURLY))
        alone = warehouse.current()
    abandoned = 0
    moments = boundaries(orders)[5::4] if full else one_of_each_kind(orders, set())[1:-2:3]
    for run, moment in moments:
        if run != NIGHTLY:
            continue
        with world.warehouse() as warehouse:
            loading = Loading(warehouse.job(NIGHTLY, wire.url(warehouse.loader_url)))
            loading.carry(wire, moment, loading.kill)
            if loading.end == "killed":
                count_kill("load", "process")
            warehouse.wait_until_the_dead_are_gone()
            for do in STEPS.values():
                do(warehouse.job(HOURLY, run_is_over=lambda dag_id, run_id: True))
            states = dict(warehouse.query("select run_id, state from ops.load where run_id = %s", NIGHTLY))
            if states.get(NIGHTLY) == "rejected":
                abandoned += 1
                assert warehouse.query("select error from ops.load where run_id = %s", NIGHTLY) == [
                    (f"abandoned: run {NIGHTLY} ended before the load was published",)
                ]
            published = states.get(NIGHTLY) == "published"
            assert published or warehouse.current() == alone
            assert observe(warehouse.url)["tables of landing"] == [
                "lookup_result",
                "partition",
                "resume_token",
                "unreadable",
            ]
            assert lies(warehouse.url) == []
    assert abandoned
