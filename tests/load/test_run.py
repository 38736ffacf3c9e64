"""The three steps in one task: over one connection, each with its state in the ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest

from onefold.errors import Rejected, Retriable
from onefold.load import gate_step, steps, stream_lock
from onefold.load import publish as publishing
from onefold.load.window import WindowRequest
from tests.load.shop import MORNING, pages, record


def test_the_three_steps_in_one_task_leave_what_each_by_itself_leaves(shop):
    given = [record("a", 1), record("bad", 2, credit=-1), record(None, 3)]
    shop.run(shop.job(pages(given)))
    published, quarantined = shop.versions(), shop.query("select _key, reason from ops.quarantine order by 1")
    actions = shop.query("select action from audit.event order by seq")
    shop.execute("delete from staging.shop__customer; delete from ops.quarantine; delete from ops.cursor")
    load = steps.run(shop.job(pages(given)))
    assert (load.state, load.rows_new, load.rows_quarantined) == ("published", 1, 2)
    assert shop.versions() == published
    assert shop.query("select _key, reason from ops.quarantine order by 1") == quarantined
    assert shop.query("select action from audit.event order by seq") == actions * 2


def test_a_task_shows_which_step_it_is_in_and_its_error_names_the_step(shop):
    seen = []

    @contextmanager
    def observe(step: steps.Step) -> Iterator[None]:
        seen.append(step)
        yield
        seen.append(f"{step} done")

    with pytest.raises(Retriable) as lost:
        steps.run(shop.job([Retriable("shop is down")], last_attempt=False), observe)
    assert (lost.value.step, seen) == ("land", ["land"])
    with pytest.raises(Rejected) as refused:
        steps.run(shop.job(pages([record(str(n), n, credit=-1) for n in range(20)])), observe)
    assert (refused.value.step, seen[1:]) == ("gate", ["land", "land done", "gate"])


@pytest.mark.parametrize(
    ("state", "module", "name"), [("landed", gate_step, "run_gate"), ("gated", publishing, "publish")]
)
def test_a_retry_goes_on_at_the_step_that_failed(shop, monkeypatch, state, module, name):
    def lost(*arguments: object, **named: object) -> None:
        raise Retriable("the warehouse is gone")

    with monkeypatch.context() as broken, pytest.raises(Retriable) as failed:
        broken.setattr(module, name, lost)
        steps.run(shop.job(pages([record("a", 1)]), run="r", last_attempt=False))
    assert (shop.last().state, failed.value.step) == (state, "gate" if state == "landed" else "publish")
    if state == "gated":
        monkeypatch.setattr(gate_step, "run_gate", lost)
    load = steps.run(shop.job([Retriable("nobody asks the source again")], run="r", is_retry=True))
    assert (load.state, load.rows_new) == ("published", 1)


def test_a_retry_after_the_publish_does_nothing_more_and_a_cleared_task_loads_again(shop, monkeypatch):
    def lost(connection: psycopg.Connection) -> None:
        raise Retriable("the worker was lost before it could say that it had published")

    with monkeypatch.context() as broken, pytest.raises(Retriable):
        broken.setattr(steps, "anchor_and_deliver", lost)
        steps.run(shop.job(pages([record("a", 1)]), run="r", last_attempt=False))
    published = shop.last()
    assert steps.run(shop.job(pages([record("b", 2)]), run="r", is_retry=True)) == published
    again = steps.run(shop.job(pages([record("b", 2)]), run="r"))
    assert again.load_id > published.load_id and set(shop.current()) == {"a", "b"}


def test_a_retry_with_another_window_than_the_published_one_loads_it(shop):
    noon = MORNING + timedelta(hours=4)
    first, second = (
        WindowRequest(MORNING, noon, exactly=True),
        WindowRequest(noon, noon + timedelta(hours=4), exactly=True),
    )
    steps.run(shop.job(pages([record("a", 1)]), run="r", requested=first))
    load = steps.run(shop.job(pages([record("b", 300)]), run="r", requested=second, is_retry=True))
    assert load.window_end == second.end and set(shop.current()) == {"a", "b"}


def test_a_load_takes_one_connection_of_its_own(shop, monkeypatch):
    opened = []

    def connect(url: str, **settings: object) -> psycopg.Connection:
        opened.append(url)
        return real(url, **settings)

    real = stream_lock.connect
    monkeypatch.setattr(stream_lock, "connect", connect)
    steps.run(shop.job(pages([record("a", 1)])))
    assert len(opened) == 1
