"""What goes on after a step failed. Whatever kills a load, and whenever: tests/torture."""

from datetime import timedelta

import pytest

from onefold.errors import Retriable
from onefold.load import steps
from onefold.load.window import WindowRequest
from tests.load.shop import MORNING, pages, record


def given():
    return pages(
        [record("a", 1), record("b", 2)],
        [record("b", 3, name="Newer"), record("bad", 3, credit=-1)],
        [record("gone", 4, deleted=True), record(None, 4)],
    )


def test_an_extraction_goes_on_after_the_last_page_that_was_committed(shop):
    first, second, third = given()
    lost = Retriable("the connection was lost")
    with pytest.raises(Retriable):
        steps.land(shop.job([first, second, lost], run="broken", last_attempt=False))
    shop.run(shop.job([first, second, third], run="broken"))
    assert [token for _, token in shop.asked] == [None, "2"]
    assert shop.last().pages == 3


def test_landing_that_a_database_crash_emptied_is_read_again(shop):
    job = shop.job(given(), run="crashed")
    steps.land(job)
    steps.gate(job)
    load = shop.last()
    # What PostgreSQL does to unlogged tables when it recovers from a crash.
    for table in (f"load_{load.load_id}", f"load_{load.load_id}__candidate", "resume_token", "unreadable"):
        shop.execute(f"truncate landing.{table}")
    steps.publish(job)
    assert set(shop.current()) == {"a", "b"}
    assert shop.last().state == "published"


def test_a_run_that_goes_back_to_another_window_does_not_take_up_the_load_of_the_one_that_it_was_at(shop):
    noon = MORNING + timedelta(hours=4)
    lost = Retriable("the database has crashed")
    (page,) = pages([record("afternoon", 300)])
    second = WindowRequest(noon, noon + timedelta(hours=4), exactly=True)
    with pytest.raises(Retriable):
        steps.land(shop.job([page, lost], run="migration", requested=second, last_attempt=False))
    first = shop.run(
        shop.job(pages([record("morning", 5)]), run="migration", requested=WindowRequest(MORNING, noon, exactly=True))
    )
    assert (first.window_start, first.window_end) == (MORNING, noon)
    assert set(shop.current()) == {"morning"}
    shop.run(shop.job(pages([record("afternoon", 300)]), run="migration", requested=second))
    assert set(shop.current()) == {"morning", "afternoon"}
    assert shop.query("select state, error from ops.load order by load_id limit 1") == [
        ("rejected", "abandoned: its run has gone back to another window")
    ]


def test_the_ledger_says_why_a_load_waits_and_that_the_last_attempt_failed(shop):
    failing = Retriable("shop is down: status 503")
    with pytest.raises(Retriable):
        steps.land(shop.job([failing], run="r", last_attempt=False))
    assert (shop.last().state, shop.last().error) == ("extracting", "shop is down: status 503")
    with pytest.raises(Retriable):
        steps.land(shop.job([failing], run="r", last_attempt=True))
    assert (shop.last().state, shop.last().error) == ("rejected", "shop is down: status 503")
    assert shop.query("select count(*) from pg_tables where schemaname = 'landing' and tablename like 'load_%'") == [
        (0,)
    ]


def test_a_published_load_no_longer_says_why_an_earlier_attempt_failed(shop):
    from onefold.errors import Retriable

    with pytest.raises(Retriable):
        steps.land(shop.job([Retriable("shop is down: status 503")], run="r", last_attempt=False))
    shop.run(shop.job(given(), run="r"))
    assert (shop.last().state, shop.last().error) == ("published", None)
