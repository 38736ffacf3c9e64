"""Each figure of the overview is what a query of the test's own finds."""

from __future__ import annotations

import pytest
from lxml import html

from onefold.catalog.reader import read_systems
from onefold.console.pages import overview
from onefold.warehouse.connection import connect
from tests.console.conftest import Ask
from tests.console.figures import shown
from tests.load.shop import SHOP, Shop, record


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "read_systems", lambda: {"shop": SHOP})


@pytest.mark.usefixtures("catalogue")
def test_each_figure_of_a_stream_equals_an_independent_query(shop: Shop, console: Ask) -> None:
    shop.load([record("a", 1), record("b", 2)])
    shop.load([record("a", 3), record("c", 4, credit=-1)])
    page = console("engineer").get("/overview").text
    row = shown(page, "//tr[@data-stream='shop.customer']")
    ((new, changed, deleted, quarantined, waiting),) = shop.query(
        "select rows_new, rows_changed, rows_deleted, rows_quarantined,"
        " (select count(*) from ops.quarantine where state = 'open') from ops.load order by load_id desc limit 1"
    )
    assert (row["new"], row["changed"], row["deleted"]) == (str(new), str(changed), str(deleted)) == ("0", "1", "0")
    assert (row["quarantined"], row["open_quarantine"]) == (str(quarantined), str(waiting)) == ("1", "1")
    assert row["verdict"] == "passed"
    total = shown(page, "//dl")
    assert (total["streams"], total["open_quarantine"], total["rejected"]) == ("1", "1", "0")
    ((records,),) = shop.query("select sum(rows_new + rows_changed + rows_deleted) from ops.load")
    (trend,) = html.fromstring(page).xpath("//tr[@data-stream='shop.customer']//svg/@aria-label")
    assert trend.split()[-1] == str(records) == "3"


def test_the_lag_of_a_stream_that_is_read_from_a_log_is_shown_and_no_others(
    shop: Shop, console: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_log = SHOP.model_copy(update={"protocol": "cdc"})
    monkeypatch.setattr(overview, "read_systems", lambda: {"shop": by_log})
    shop.load([record("a", 1)])
    row = "//tr[@data-stream='shop.customer']"
    assert not {"lag", "retained_log"} & shown(console("engineer").get("/overview").text, row).keys()
    with connect(shop.url) as connection:
        connection.execute(
            "insert into ops.stream_lag (system, stream, position, log_end, lag_bytes, lag_seconds, retained_bytes)"
            " values ('shop', 'customer', '0/1', '1/0', 4_500_000, 150, 3 * (1::bigint << 30))"
        )
    page = console("engineer").get("/overview").text
    ((lag, kept),) = shop.query(
        "select round(lag_bytes / 1048576.0, 1) || ' MiB, '"
        " || to_char(lag_seconds * interval '1 s', 'FMMI \"min\" FMSS \"s\"'),"
        " to_char(retained_bytes / 1048576.0, 'FM9,999.0') || ' MiB' from ops.stream_lag"
    )
    assert (lag, kept) == ("4.3 MiB, 2 min 30 s", "3,072.0 MiB")
    assert (shown(page, row)["lag"], shown(page, row)["retained_log"]) == (lag, kept)
    monkeypatch.setattr(overview, "read_systems", lambda: {"shop": SHOP})
    assert not {"lag", "retained_log"} & shown(console("engineer").get("/overview").text, row).keys()
    with connect(shop.url) as connection:
        connection.execute("insert into ops.source_slot values ('gone', 'customer', 'onefold_gone', 'stock')")
    assert "bin/onefold slots --drop onefold_gone" in console("engineer").get("/overview").text
    assert "Source keeps too much of its log" in page and "limits.retained_log_mib: 1,024" in page


def test_a_stream_that_was_never_loaded_says_so(console: Ask) -> None:
    page = console("auditor").get("/overview").text
    streams = sum(len(system.streams) for system in read_systems().values())
    assert page.count("never loaded") == streams
    assert shown(page, "//dl")["streams"] == str(streams)


@pytest.mark.usefixtures("catalogue")
def test_what_a_source_or_an_error_says_is_escaped(shop: Shop, console: Ask) -> None:
    shop.load([record("a", 1)])
    with connect(shop.url) as connection:
        connection.execute("update ops.load set state = 'rejected', error = '<script>alert(1)</script>'")
    page = console("engineer").get("/overview").text
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page
