"""No load reads for ever, and none waits for ever for another one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from onefold.connectors.page import Page, PageReader
from onefold.connectors.window import Window
from onefold.errors import Busy, Fatal
from onefold.load import steps
from onefold.load.job import Job
from tests.load.shop import SHOP, Shop, pages, record

GUARD = 60
"""Pages after which a test gives up on code that reads on and on."""


def endless(shop: Shop, page: Callable[[int], Page], **limits: object) -> Job:
    """A load from a source that gives a page for every number, and always names another one."""

    @contextmanager
    def source(stream_name: str, usage: object) -> Iterator[PageReader]:
        def read(window: Window, token: str | None) -> Iterator[Page]:
            for number in itertools.count(int(token or 0)):
                assert number < GUARD, "it is read on and on"
                yield page(number)

        yield read

    system = SHOP.model_copy(update={"limits": SHOP.limits.model_copy(update=limits)})
    return replace(shop.job([]), source=source, system=system)


def at_token(number: int, *keys: str) -> Page:
    return Page([record(key, 1) for key in keys], datetime.now(UTC), str(number + 1))


@pytest.mark.parametrize(
    ("page", "limits", "said"),
    [
        (lambda n: at_token(n, f"k{n}"), {"pages": 20}, r"more than 20 pages \(limits\.pages\)"),
        (lambda n: at_token(n, *[f"k{n}"] * (n % 7 == 0)), {"pages": 20}, r"more than 20 pages \(limits\.pages\)"),
        (at_token, {"empty_pages": 10}, r"11 pages .* bring nothing.* \(limits\.empty_pages\)"),
        (lambda n: at_token(n, "a", "b"), {}, "the same 2 records 4 times"),
        (lambda n: at_token(n, "ab"[n % 2]), {}, "the same 1 records 4 times"),
    ],
    ids=["ever new records", "mostly nothing", "nothing at all", "the same page", "two pages in turn"],
)
def test_a_source_that_goes_on_for_ever_is_given_up_and_the_next_load_works(
    shop: Shop, page: Callable[[int], Page], limits: dict[str, int], said: str
) -> None:
    with pytest.raises(Fatal, match=said):
        steps.run(endless(shop, page, **limits))
    assert shop.last().state == "rejected" and shop.versions() == []
    assert steps.run(shop.job(pages([record("a", 1)]))).state == "published"


def test_pages_that_an_attempt_before_has_read_count_as_well(shop: Shop) -> None:
    job = replace(endless(shop, lambda n: at_token(n, f"k{n}"), pages=20), last_attempt=False)
    first = replace(job, source=shop.job([*[at_token(n, f"k{n}") for n in range(15)], MemoryError()]).source)
    with pytest.raises(Exception, match="memory"):
        steps.run(first)
    with pytest.raises(Fatal, match="more than 20 pages"):
        steps.run(replace(job, is_retry=True))


def not_over(_dag_id: str, _run_id: str) -> bool:
    return False


def test_a_backfill_does_not_wait_for_a_run_that_has_stopped_looking_as_while_its_dag_is_paused(shop: Shop) -> None:
    past = shop.job(pages([record("a", 1)]), run="past_1", yields_to_fresh=True)
    steps.land(past)
    fresh = shop.job(pages([record("b", 50)]), run="fresh", run_is_over=not_over)
    with pytest.raises(Busy):
        steps.land(fresh)
    steps.gate(past)
    steps.publish(past)
    following = shop.job(pages([record("c", 2)]), run="past_2", yields_to_fresh=True, run_is_over=not_over)
    shop.execute("update ops.queue set since = since - interval '59 min', last_seen = last_seen - interval '59 min'")
    with pytest.raises(Busy, match="waited for by run fresh"):
        steps.land(following)
    shop.execute("update ops.queue set since = since - interval '2 min', last_seen = last_seen - interval '2 min'")
    shop.run(following)
    shop.run(fresh)  # when it comes again, it loads
    assert set(shop.current()) == {"a", "b", "c"} and shop.query("select * from ops.queue") == []


def test_a_run_that_looks_again_and_again_keeps_its_place(shop: Shop) -> None:
    steps.land(shop.job(pages([record("a", 1)]), run="past_1", yields_to_fresh=True))
    fresh = shop.job(pages([record("b", 50)]), run="fresh", run_is_over=not_over)
    with pytest.raises(Busy):
        steps.land(fresh)
    shop.execute("update ops.queue set since = since - interval '9 h', last_seen = last_seen - interval '9 h'")
    with pytest.raises(Busy):
        steps.land(fresh)
    assert shop.query("select last_seen > now() - interval '1 min' from ops.queue") == [(True,)]


def test_no_load_waits_for_the_load_of_a_run_that_does_nothing(shop: Shop) -> None:
    paused = shop.job(pages([record("a", 1)]), run="paused", run_is_over=not_over)
    steps.land(paused)
    later = shop.job(pages([record("b", 2)]), run="later", run_is_over=not_over)
    shop.execute("update ops.load set last_active = last_active - interval '59 min'")
    with pytest.raises(Busy, match="in progress"):
        shop.run(later)
    shop.execute("update ops.load set last_active = last_active - interval '2 min'")
    shop.run(later)
    assert shop.query("select run_id, state, split_part(error, ' since', 1) from ops.load order by load_id") == [
        ("paused", "rejected", "abandoned: run paused has done nothing"),
        ("later", "published", None),
    ]
    shop.run(paused)
    assert set(shop.current()) == {"a", "b"}
