"""What the read models say is what the engine has recorded, bounded, whatever the history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from onefold.errors import Fatal
from onefold.insight.alerts import open_alerts
from onefold.insight.loads import loads_of_run, loads_of_stream
from onefold.insight.quarantine import quarantine_reasons, quarantined_rows
from onefold.insight.streams import stream_statuses
from onefold.notify.alert import open_alert, resolve_alert
from onefold.warehouse.connection import connect
from tests.load.shop import SHOP, Shop, record

CATALOGUE = {"shop": SHOP}


def test_a_stream_that_was_never_loaded_is_listed_too(shop: Shop) -> None:
    with connect(shop.url) as connection:
        (status,) = stream_statuses(connection, CATALOGUE)
    assert (status.name, status.last_load, status.current_as_of, status.open_quarantine) == (
        *("shop.customer", None),
        *(None, 0),
    )
    assert status.age(datetime.now(UTC)) is None
    assert not status.is_stale(datetime.now(UTC))


def test_a_stream_shows_its_last_load_its_age_and_what_waits(shop: Shop) -> None:
    shop.load([record("a", 1), record("b", 2)])
    load = shop.load([record("a", 3), record("c", 4, credit=-1)])
    with connect(shop.url) as connection:
        (status,) = stream_statuses(connection, CATALOGUE)
        assert stream_statuses(connection, CATALOGUE, only=["other.stream"]) == []
    assert status.last_load is not None
    last = status.last_load
    assert (last.load_id, last.read, last.new, last.changed, last.quarantined) == (load.load_id, 2, 0, 1, 1)
    assert (last.gate, status.open_quarantine, status.withheld, status.drifted) == ("passed", 1, 0, 0)
    assert status.current_as_of == load.window_end
    late = load.window_end + SHOP.streams["customer"].freshness
    assert not status.is_stale(late)
    assert status.is_stale(late + timedelta(seconds=1))


def test_a_withheld_value_is_not_counted_as_a_row_that_waits(shop: Shop) -> None:
    load = shop.load([record("a", 1), record("b", 2, credit=-1)])
    with connect(shop.url, autocommit=True) as connection:
        connection.execute(
            "insert into ops.quarantine (load_id, system, stream, _key, _hash, _extracted_at, suite, expectation,"
            " reason, attribute, value_kind, allowed) values (%s, 'shop', 'customer', 'a', '', now(), 'shop__customer',"
            " '', '', 'customer.phone', 'text', 'a telephone number')",
            (load.load_id,),
        )
        (status,) = stream_statuses(connection, CATALOGUE)
        assert (status.open_quarantine, status.withheld) == (1, 1)
        assert [row.key for row in quarantined_rows(connection).rows] == ["b"]
        assert sum(reason.rows for reason in quarantine_reasons(connection)) == 1


def test_loads_come_page_by_page_and_none_is_missed_or_shown_twice(shop: Shop) -> None:
    loads = [shop.load([record("a", minute)]).load_id for minute in range(1, 6)]
    with connect(shop.url) as connection:
        seen, before = [], None
        while True:
            page = loads_of_stream(connection, "shop", "customer", before=before, limit=2)
            seen += [load.load_id for load in page.rows]
            before = page.before
            if before is None:
                break
        assert seen == loads[::-1]
        last = loads_of_run(connection, "sync__shop", shop.query("select max(run_id) from ops.load")[0][0])
    assert [load.stream for load in last] == ["customer"]


def test_the_quarantine_is_counted_by_reason_and_listed_without_content(shop: Shop) -> None:
    shop.load([record("a", 1, credit=-1), record("b", 2, credit=-2), record("c", 3, credit="many"), record("d", 4)])
    with connect(shop.url) as connection:
        reasons = quarantine_reasons(connection)
        first = quarantined_rows(connection, system="shop", limit=2)
        rest = quarantined_rows(connection, system="shop", before=first.before, limit=2)
        assert quarantined_rows(connection, system="other").rows == ()
    assert [(reason.stream, reason.rows) for reason in reasons] == [("customer", 2), ("customer", 1)]
    assert sorted(row.key or "" for row in (*first.rows, *rest.rows)) == ["a", "b", "c"]
    assert rest.before is None


def test_an_alert_is_listed_until_it_has_ended(shop: Shop) -> None:
    with connect(shop.url) as connection:
        open_alert(connection, "os:tester", "freshness", "shop.customer", "The data is old.")
        open_alert(connection, "os:tester", "freshness", "shop.customer", "The data is older.")
        (alert,) = open_alerts(connection).rows
        assert (alert.kind, alert.subject, alert.message, alert.occurrences) == (
            *("freshness", "shop.customer", "The data is older."),
            2,
        )
        resolve_alert(connection, "os:tester", "freshness", "shop.customer")
        assert open_alerts(connection).rows == ()


@pytest.mark.parametrize("limit", [0, -1, 1001, 10**9])
def test_a_page_is_bounded(shop: Shop, limit: int) -> None:
    with connect(shop.url) as connection, pytest.raises(Fatal, match="from 1 to 1,000 rows"):
        loads_of_stream(connection, "shop", "customer", limit=limit)
