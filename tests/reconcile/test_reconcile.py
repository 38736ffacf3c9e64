"""What differs between warehouse and source is found, alerts when it outlives its freshness SLA, and is repaired."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from onefold.commands.reconcile import named_streams
from onefold.errors import Fatal, Retriable
from onefold.load.ledger import Run
from onefold.reconcile.compare import DEFAULT_LOOKBACK, compare_stream
from onefold.reconcile.drift import days_to_windows
from onefold.reconcile.freshness_sla import check_drift, check_freshness
from onefold.reconcile.repair import repair_stream
from onefold.reconcile.sla_checks import check_slas
from onefold.warehouse.connection import connect
from tests.load.shop import SHOP
from tests.reconcile.conftest import YEAR, Source

STREAM = SHOP.streams["customer"]
LATE = STREAM.freshness + timedelta(hours=1)


def days_from_now(days: float) -> float:
    """That many days before now, as days after the year began."""
    return (datetime.now(UTC) - YEAR) / timedelta(days=1) - days


def judged(source: Source) -> bool:
    with connect(source.shop.url, autocommit=True) as connection:
        return check_drift(connection, "os:tester", "shop", "customer", STREAM)


def alerts(source: Source) -> list[tuple]:
    return source.shop.query(
        "select kind, subject, occurrences, resolved_at is not null from ops.alert order by alert_id"
    )


def test_a_warehouse_that_agrees_has_no_drift(source: Source) -> None:
    source.fill(20)
    found = source.compare()
    assert (found.drift.records, found.records_read) == (0, 20)
    assert source.drift() == []


def test_each_kind_of_difference_is_found_by_reading(source: Source) -> None:
    source.fill(20)
    source.lose("k0003", "k0007")
    source.put("k0005", 25, name="Changed since")
    source.put("new", 26)
    del source.records["k0011"]
    found = source.compare()
    assert source.drift() == [
        ("k0003", "missing"),
        ("k0005", "changed"),
        ("k0007", "missing"),
        ("k0011", "deleted"),
        ("new", "missing"),
    ]
    assert (found.drift.missing, found.drift.changed, found.drift.deleted) == (3, 1, 1)
    assert found.drift.oldest == YEAR + timedelta(days=3)


def test_where_the_source_counts_only_the_windows_that_differ_are_read(source: Source) -> None:
    source.fill(300)
    source.counts = True
    assert source.compare().records_read == 0
    assert source.asked == []
    source.lose("k0100", "k0101", "k0250")
    source.put("k0030", 200.5)  # moved: one less in a window, one more in another
    found = source.compare()
    assert source.drift() == [
        ("k0030", "changed"),
        ("k0100", "missing"),
        ("k0101", "missing"),
        ("k0250", "missing"),
    ]
    assert found.records_read <= 5
    assert sum((window.end - window.start for window in source.asked), timedelta()) <= timedelta(days=6)
    assert len(source.counted) < 150


def test_thorough_reads_even_where_the_source_counts(source: Source) -> None:
    source.fill(20)
    source.counts = True
    record = source.records["k0004"]
    source.put("k0004", 4, name="Changed, and the cursor was not moved")
    assert source.records["k0004"].cursor == record.cursor
    assert source.compare().drift.records == 0
    assert source.compare(thorough=True).drift.changed == 1
    assert source.drift() == [("k0004", "changed")]


def test_without_a_start_what_cannot_be_counted_is_read_for_a_month(source: Source) -> None:
    source.fill(3)
    source.compare(None)
    (window,) = source.asked
    assert DEFAULT_LOOKBACK <= window.end - window.start < DEFAULT_LOOKBACK + timedelta(days=1)


def test_what_waits_in_quarantine_or_was_deleted_on_both_sides_is_not_missing(source: Source) -> None:
    source.fill(10)
    source.put("k0001", 11, name=None)
    source.put("bad", 11, credit=-1)
    record = source.records["k0002"]
    source.records["k0002"] = type(record)(record.key, source.records["bad"].cursor, True, record.payload)
    source.load()
    assert source.shop.query("select _key from ops.quarantine where state = 'open' order by 1") == [
        ("bad",),
        ("k0001",),
    ]
    source.records["never"] = type(record)("never", record.cursor, True, record.payload)
    assert source.compare().drift.records == 0
    del source.records["k0002"]  # and when the source has forgotten it
    assert source.compare().drift.records == 0


def test_a_source_that_forgets_what_is_old_has_nothing_gone(source: Source) -> None:
    source.fill(10)
    del source.records["k0001"]
    stream = STREAM.model_copy(update={"retention_limited": True})
    source.shop.system = SHOP.model_copy(update={"streams": {"customer": stream}})
    assert source.compare().drift.records == 0


def test_a_comparison_is_no_load_and_changes_nothing_of_the_stream(source: Source) -> None:
    source.fill(10)
    source.lose("k0003")

    def state() -> list[list[tuple]]:
        tables = ("select * from ops.load order by 1", "select * from ops.cursor")
        return [source.shop.versions(), *map(source.shop.query, tables)]

    before = state()
    source.compare()
    assert state() == before
    assert source.shop.query("select state, method, missing, records_read from ops.reconciliation") == [
        ("compared", "keys", 1, 10)
    ]
    assert source.shop.query(
        "select action, result, payload ->> 'missing' from audit.event where action like 'reconcile%'"
    ) == [("reconcile.compare", "ok", "1")]


def test_rows_lost_from_staging_are_repaired_by_loading_just_their_days(source: Source) -> None:
    source.fill(300)
    source.lose("k0050", "k0051", "k0200")
    found, loads = repair_stream(source.job(), source.counter, source.compare())
    assert [(load.window_start, load.window_end) for load in loads] == [
        (YEAR + timedelta(days=50), YEAR + timedelta(days=52)),
        (YEAR + timedelta(days=200), YEAR + timedelta(days=201)),
    ]
    assert [load.rows_read for load in loads] == [2, 1]
    assert found.drift.records == 0
    assert source.drift() == []
    assert len(source.shop.current()) == 300
    assert source.shop.query("select repaired_windows from ops.reconciliation order by 1") == [(0,), (2,)]


def test_when_nothing_differs_nothing_is_loaded(source: Source) -> None:
    source.fill(10)
    loads = source.shop.query("select count(*) from ops.load")
    assert repair_stream(source.job(), source.counter, source.compare())[1] == []
    assert source.shop.query("select count(*) from ops.load") == loads


def test_a_difference_within_the_promise_alerts_nobody(source: Source) -> None:
    source.fill(10)
    source.put("late", days_from_now(0.1))
    assert source.compare().drift.missing == 1
    assert judged(source)
    assert alerts(source) == []


def test_a_difference_that_outlives_the_promise_alerts_once_and_once_more_when_it_has_healed(source: Source) -> None:
    source.fill(10)
    source.put("late", days_from_now(LATE / timedelta(days=1)))
    for _ in range(2):
        source.compare()
        assert not judged(source)
    assert alerts(source) == [("drift", "shop.customer", 2, False)]
    source.load()
    source.compare()
    assert judged(source)
    assert alerts(source) == [("drift", "shop.customer", 2, True)]
    assert source.shop.query("select message from ops.alert where message like '%late%'") == []  # no key is told


def test_a_record_that_differs_anew_is_as_old_as_its_new_difference(source: Source) -> None:
    source.fill(10)
    source.put("k0001", days_from_now(2))
    first = source.compare().drift.oldest
    source.load()
    source.put("k0001", days_from_now(0.1))
    assert source.compare().drift.oldest > first + timedelta(days=1)
    assert judged(source)


def test_data_that_is_older_than_promised_alerts_once_and_once_more_when_it_is_fresh(source: Source) -> None:
    source.fill(3)

    def fresh() -> bool:
        with connect(source.shop.url, autocommit=True) as connection:
            return check_freshness(connection, "os:tester", "shop", "customer", STREAM)

    assert fresh()
    source.shop.execute("update ops.cursor set window_end = window_end - interval '27 hours'")
    assert not fresh()
    assert not fresh()
    source.load()
    assert fresh()
    assert alerts(source) == [("freshness", "shop.customer", 2, True)]


def test_a_stream_that_was_never_published_is_as_old_as_the_first_attempt(source: Source) -> None:
    def fresh() -> bool:
        with connect(source.shop.url, autocommit=True) as connection:
            return check_freshness(connection, "os:tester", "shop", "customer", STREAM)

    assert fresh()
    with pytest.raises(Retriable):
        source.shop.run(source.shop.job([Retriable("down")]))
    source.shop.execute("update ops.load set started_at = started_at - interval '27 hours'")
    assert not fresh()


def test_a_stream_that_was_never_loaded_is_not_asked_for(source: Source) -> None:
    source.put("a", 1)
    assert "not been loaded yet" in source.compare().skipped
    assert source.asked == []
    assert source.shop.query("select state from ops.reconciliation") == [("skipped",)]


def test_a_source_that_fails_leaves_what_was_known(source: Source) -> None:
    source.fill(10)
    source.lose("k0003")
    source.compare()
    job = source.job()

    def broken(stream_name: str, usage: object) -> object:
        raise Retriable("The shop is down.")

    with pytest.raises(Retriable, match="shop is down"):
        compare_stream(replace(job, source=broken), source.counter, YEAR)
    assert source.drift() == [("k0003", "missing")]
    assert source.shop.query(
        "select state, reason from ops.reconciliation order by reconciliation_id desc limit 1"
    ) == [("failed", "The shop is down.")]


def test_the_run_is_judged_and_told_though_a_stream_could_not_be_compared(source: Source) -> None:
    source.fill(3)
    source.put("late", days_from_now(LATE / timedelta(days=1)))
    source.compare()
    run = Run("reconcile", "manual__x", "os:tester")
    systems = {"shop": SHOP}
    with pytest.raises(Fatal, match=r"1 of 1 streams could not be compared .*: shop\.customer"):
        check_slas(source.shop.url, systems, run, [], None, ["shop.customer"])
    assert alerts(source) == [("drift", "shop.customer", 1, False)]
    with pytest.raises(Fatal, match="does not know which streams"):
        check_slas(source.shop.url, systems, run, [], None, None)
    compare_stream(replace(source.job(), run=run), source.counter, YEAR)
    assert check_slas(source.shop.url, systems, run, [], None, ["shop.customer"])["drift"] == ["shop.customer"]


def test_a_start_that_lies_ahead_is_refused(source: Source) -> None:
    source.fill(3)
    with pytest.raises(Fatal, match="is in the future"):
        source.compare(datetime.now(UTC) + timedelta(days=1))
    assert source.asked == []


def test_a_system_stands_for_its_streams_and_an_unknown_name_says_what_there_is() -> None:
    systems = {"shop": SHOP}
    assert named_streams(systems, ["shop", "shop.customer"]) == ["shop.customer"]
    with pytest.raises(Fatal, match=r"no system 'shp'.* There are: shop"):
        named_streams(systems, ["shp"])
    with pytest.raises(Fatal, match=r"no stream 'x'\. It has: customer"):
        named_streams(systems, ["shop.x"])


def test_a_repair_is_few_windows_however_many_days_differ() -> None:
    days = [YEAR.date() + timedelta(days=2 * number) for number in range(50)] + [YEAR.date() + timedelta(days=300)]
    windows = days_to_windows(days, datetime(2026, 1, 1, tzinfo=UTC), limit=3)
    assert len(windows) == 3
    assert windows[0].start == YEAR
    assert (windows[-1].start, windows[-1].end) == (YEAR + timedelta(days=300), YEAR + timedelta(days=301))
    assert all(any(w.start.date() <= day < w.end.date() for w in windows) for day in days)
