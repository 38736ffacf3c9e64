"""A replay that crashed or failed: its rows wait, and a task that is tried again goes on until the sum holds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from onefold.errors import Fatal
from onefold.load import publish as publishing
from onefold.load import steps
from onefold.replay.ledger import close_replay
from onefold.warehouse.connection import connect
from tests.load.shop import Shop, record
from tests.replay.replaying import ANY_NAME, closed, job, opened, quarantine, run_of, suite


class Killed(BaseException):
    """The process is gone: nothing that would tidy up gets to run."""


def kill(*_: object) -> None:
    raise Killed


CRASHES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "while it lands": lambda patch: patch.setattr(steps.landing, "finish_landing", kill),
    "after the gate": lambda patch: patch.setattr(steps.landing, "mark_gated", kill),
    "in the publish": lambda patch: patch.setattr(publishing, "discard_landing", kill),
}


@pytest.mark.parametrize("moment", CRASHES)
def test_a_replay_that_crashed_and_is_tried_again_goes_on_and_its_sum_holds(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    shop.load([record("a", 1, name=None), record("b", 1, name=None, credit=-1), record("c", 1)])
    suite(shop, ANY_NAME)
    run = run_of()
    account = opened(shop, run)
    with monkeypatch.context() as patch:
        CRASHES[moment](patch)
        with pytest.raises(Killed):
            shop.run(job(shop, run, account))
    with connect(shop.url, autocommit=True) as connection, pytest.raises(Fatal, match=r"shop.customer \(2 of 2 rows\)"):
        close_replay(connection, run)
    assert opened(shop, run) == account  # the task that chooses is tried again too
    shop.run(job(shop, run, account))
    assert closed(shop, run) == (2, 1, 0, 1)
    assert len(shop.versions()) == 2


def test_a_replay_whose_landing_the_servers_crash_emptied_lands_again(shop: Shop) -> None:
    shop.load([record("a", 1, name=None)])
    suite(shop, ANY_NAME)
    run = run_of()
    account = opened(shop, run)
    load = steps.land(job(shop, run, account))
    shop.execute(f"truncate landing.resume_token, landing.load_{load.load_id}")
    steps.gate(job(shop, run, account))
    steps.publish(job(shop, run, account))
    assert closed(shop, run) == (1, 1, 0, 0)


def test_a_replay_that_failed_for_good_leaves_its_rows_waiting_and_a_cleared_task_goes_on(shop: Shop) -> None:
    shop.load([record("a", 1, name=None)])
    suite(shop, ANY_NAME.replace("to_be_between", "to_be_betwixt"))
    run = run_of()
    account = opened(shop, run)
    with pytest.raises(Fatal, match="3 expectations are written and 2 were evaluated"):
        shop.run(job(shop, run, account))
    assert quarantine(shop) == [("a", "name: to not be null", "open")]
    suite(shop, ANY_NAME)
    shop.run(job(shop, run, account))
    assert closed(shop, run) == (1, 1, 0, 0)
