"""Rate limits: never more than allowed in any span, shared by all processes, cheap."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from onefold.errors import Retriable
from onefold.http.limit import MemoryLimiter, WarehouseLimiter, kept, rate, reserve, seconds_of


@settings(max_examples=60, deadline=None)
@given(
    limits=st.sampled_from([["3/s"], ["3/s", "120/min"], ["7/min", "100/day"], ["50/h"], ["1/s"]]),
    pauses=st.lists(st.floats(0, 90), min_size=1, max_size=150),
)
@example(limits=["50/min"], pauses=[0.0] * 150)
@example(limits=["100/day"], pauses=[50.0] * 150)
def test_no_span_of_a_rate_holds_more_than_its_count(limits: list[str], pauses: list[float]) -> None:
    rates = [rate(text) for text in limits]
    arrivals: dict[str, float] = {}
    now, sent = 1000.0, []
    for pause in pauses:
        now += pause if pause > 45 else 0
        wait, arrivals = reserve(arrivals, rates, now)
        now += wait
        sent.append(now)
    for each in rates:
        for place, at in enumerate(sent):
            inside = sum(1 for other in sent[place:] if other < at + each.seconds - 1e-6)
            assert inside <= each.count


def test_a_pause_gives_the_burst_back_and_no_more() -> None:
    rates = [rate("100/min")]
    arrivals: dict[str, float] = {}
    for _ in range(10):
        wait, arrivals = reserve(arrivals, rates, 0.0)
        assert wait == 0
    wait, arrivals = reserve(arrivals, rates, 0.0)
    assert wait > 0
    wait, arrivals = reserve(arrivals, rates, 10_000.0)
    assert wait == 0


@pytest.mark.parametrize("day", ["2026-03-28", "2026-06-10", "2026-10-24"])  # the next day has 23, 24, 25 hours
def test_a_days_quota_may_be_spent_at_once_and_begins_anew_at_midnight_there(day: str) -> None:
    rates, zone = [rate("100/day@Europe/Warsaw"), rate("2/s")], ZoneInfo("Europe/Warsaw")
    now = begin = datetime.fromisoformat(f"{day}T22:10:00").replace(tzinfo=zone).timestamp()
    arrivals: dict[str, float] = {}
    sent: list[datetime] = []
    for _ in range(250):
        wait, arrivals = reserve(arrivals, rates, now)
        now += wait
        sent.append(datetime.fromtimestamp(now, UTC).astimezone(zone))
    assert sent[99].timestamp() - begin < 60
    assert list(Counter(at.date() for at in sent).values()) == [100, 100, 50]
    assert [at.time().isoformat() for at in (sent[100], sent[200])] == ["00:00:00", "00:00:00"]


def test_a_days_quota_outlives_the_process_and_is_shared_by_all_runs(loader_url: str) -> None:
    allowed = [rate("3/day@Europe/Warsaw")]
    for _ in range(3):
        limiter = WarehouseLimiter(loader_url)
        assert limiter.reserve("register", allowed, 60) == 0
        limiter.close()
    limiter = WarehouseLimiter(loader_url)
    assert limiter.reserve("register", allowed, 60) is None
    assert limiter.reserve("register", allowed, 90_000) > 60
    limiter.close()


def test_a_wait_that_is_too_long_reserves_nothing() -> None:
    limiter = MemoryLimiter(clock=lambda: 0.0)
    rates = [rate("1/h")]
    assert limiter.reserve("shop", rates, 10) == 0
    assert limiter.reserve("shop", rates, 10) is None
    assert limiter.reserve("shop", rates, 3600) == pytest.approx(3600)


def test_the_rate_is_shared_by_all_who_talk_to_a_system(loader_url: str) -> None:
    places: list[float] = []

    def talk() -> None:
        limiter = WarehouseLimiter(loader_url)
        for _ in range(5):
            wait = limiter.reserve("shop", [rate("10/s")], 60)
            assert wait is not None
            places.append(time.monotonic() + wait)
        limiter.close()

    threads = [threading.Thread(target=talk) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(places) == 20
    assert max(places) - min(places) > 1.7, "twenty requests at ten a second take 1.9 seconds"


def test_a_rate_of_ones_own_and_the_systems_are_kept_side_by_side(loader_url: str) -> None:
    nightly, migration = WarehouseLimiter(loader_url), WarehouseLimiter(loader_url)
    last: dict[str, float] = {}
    begun = time.monotonic()
    for _ in range(6):
        for limiter, text in ((nightly, "5/s"), (migration, "20/s")):
            last[text] = limiter.reserve("shop", [rate(text)], 60) + time.monotonic() - begun
    nightly.close()
    migration.close()
    assert last["5/s"] > 5 / 5 - 0.01, "the sixth request at five a second goes after a second"
    assert 5 / 20 - 0.01 < last["20/s"] < 1, "and does not hold up those that go at twenty"


@pytest.mark.parametrize("text", ["100/day", "100/day@Europe/Warsaw"])
def test_a_rate_that_nobody_uses_any_more_is_forgotten_and_not_before_its_day_is_over(text: str) -> None:
    morning = datetime(2026, 10, 25, tzinfo=ZoneInfo("Europe/Warsaw")).timestamp()  # of a day of 25 hours
    _, arrivals = reserve({}, [rate(text)], morning)
    _, arrivals = reserve(arrivals, [rate("5/s")], morning + 24.9 * 3600)
    assert arrivals.keys() == {text, "5/s"}
    _, arrivals = reserve(arrivals, [rate("5/s")], morning + 49 * 3600)
    assert arrivals.keys() == {"5/s"}


@pytest.mark.parametrize(
    ("own", "remain"),
    [
        (None, ["2/s", "600/h", "100/day@Europe/Warsaw"]),
        ("5/s", ["5/s", "100/day@Europe/Warsaw"]),
        ("200/day", ["200/day", "2/s", "600/h"]),
        ("1000/s, 200/day@Europe/Warsaw", ["1000/s", "200/day@Europe/Warsaw"]),
    ],
)
def test_a_rate_of_ones_own_lifts_no_quota_of_a_day_but_by_another(own: str | None, remain: list[str]) -> None:
    assert kept(["2/s", "600/h", "100/day@Europe/Warsaw"], own) == remain


@pytest.mark.parametrize(
    ("rates", "seconds"),
    [
        (["5/s"], 144),
        (["5/s", "120/min", "6000/h"], 432),
        (["5/s", "1000/day@Europe/Warsaw"], 144),
        (["720/day"], 86400),
    ],
)
def test_requests_take_what_the_slowest_rate_lets_them_and_a_days_quota_may_be_spent_at_once(
    rates: list[str], seconds: float
) -> None:
    assert seconds_of(720, rates) == seconds
    assert seconds_of(720, ["1000/day@Europe/Warsaw"]) is None


def test_two_systems_do_not_wait_for_each_other(loader_url: str) -> None:
    limiter = WarehouseLimiter(loader_url)
    assert limiter.reserve("shop", [rate("1/h")], 10) == 0
    assert limiter.reserve("bank", [rate("1/h")], 10) == 0
    assert limiter.reserve("shop", [rate("1/h")], 10) is None
    limiter.close()


def test_a_warehouse_that_is_away_is_retriable_and_named() -> None:
    limiter = WarehouseLimiter("postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    with pytest.raises(Retriable, match=r"ops\.rate_limit"):
        limiter.reserve("shop", [rate("1/h")], 10)
