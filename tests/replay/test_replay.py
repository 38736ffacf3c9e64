"""Replay: every selected row ends as published, superseded or refused, and the sum is checked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from onefold.catalog.system import System
from onefold.connectors.record import Record
from onefold.errors import Fatal, Retriable
from onefold.load import publish as publishing
from onefold.load import steps
from tests.load.shop import SHOP, SUITE, Shop, at, pages, record
from tests.replay.replaying import ANY_CREDIT, ANY_NAME, closed, job, opened, quarantine, replay, run_of, suite


def test_rows_that_a_fixed_suite_accepts_are_published_as_they_were_received(shop: Shop) -> None:
    shop.load([record("a", 1, name=None), record("b", 1)])
    [(received_hash, received_at)] = shop.query("select _hash, _extracted_at from ops.quarantine")
    suite(shop, ANY_NAME)
    assert replay(shop) == (1, 1, 0, 0)
    assert set(shop.current()) == {"a", "b"}
    assert quarantine(shop) == [("a", "name: to not be null", "replayed")]
    assert shop.query("select _hash, _cursor, _extracted_at from staging.shop__customer where _key = 'a'") == [
        (received_hash, at(1), received_at)
    ]
    assert shop.load([record("a", 1, name=None)]).rows_changed == 0  # the source says just that


def test_a_row_that_is_refused_again_is_quarantined_once_with_the_new_reason(shop: Shop) -> None:
    shop.load([record("a", 1, name=None, credit=-1)])
    suite(shop, ANY_NAME)
    assert replay(shop) == (1, 0, 0, 1)
    assert quarantine(shop) == [
        ("a", "credit: to be between; name: to not be null", "replayed"),
        ("a", "credit: to be between", "open"),
    ]
    assert shop.current() == {}
    shop.load([record("a", 1, name=None, credit=-1)])
    assert len(quarantine(shop)) == 2


def test_a_replay_of_nothing_but_bad_rows_is_not_rejected(shop: Shop) -> None:
    shop.load([record(f"good{n:04}", 1) for n in range(1000)], [record(f"bad{n}", 1, name=None) for n in range(40)])
    suite(shop, SUITE.replace("{column: name}", "{column: nick}"))
    assert replay(shop) == (40, 0, 0, 40)
    assert shop.last().state == "published"


def test_a_row_whose_newer_version_came_meanwhile_is_superseded(shop: Shop) -> None:
    shop.load([record("a", 1, name=None), record("b", 1, name=None)])
    suite(shop, ANY_NAME)
    run = run_of()
    account = opened(shop, run)
    shop.load([record("a", 2, name="Newer")])  # after the selection, before the stream is replayed
    shop.run(job(shop, run, account))
    assert closed(shop, run) == (2, 1, 1, 0)
    assert shop.current()["a"]["name"] == "Newer"
    assert shop.current()["b"]["name"] is None


def test_two_replays_of_the_same_rows_publish_them_once(shop: Shop) -> None:
    shop.load([record("a", 1, name=None)])
    suite(shop, ANY_NAME)
    first, second = run_of(), run_of()
    accounts = opened(shop, first), opened(shop, second)
    shop.run(job(shop, second, accounts[1]))
    shop.run(job(shop, first, accounts[0]))
    assert closed(shop, second) == (1, 1, 0, 0)
    assert closed(shop, first) == (1, 0, 1, 0)
    assert len(shop.versions()) == 1


def test_a_replay_moves_neither_cursor_nor_state_nor_answers(shop: Shop) -> None:
    shop.load([record("a", 1, name=None), record("b", 5)])
    kept = (
        "select to_jsonb(c) from ops.cursor c",
        "select * from ops.stream_checkpoint",
        "select * from ops.lookup_cache",
    )
    before = [shop.query(query) for query in kept]
    suite(shop, ANY_NAME)
    replay(shop)
    assert [shop.query(query) for query in kept] == before


def test_the_window_of_a_replays_load_is_when_its_rows_were_quarantined(shop: Shop) -> None:
    shop.load([record("a", 1, name=None)])
    shop.load([record("b", 1, name=None)])
    [(first, last)] = shop.query("select min(quarantined_at), max(quarantined_at) from ops.quarantine")
    suite(shop, ANY_NAME)
    replay(shop)
    assert (shop.last().window_start, shop.last().window_end) == (first, last + timedelta(microseconds=1))


def test_whole_tables_expectations_refuse_every_row_of_a_replay_instead_of_rejecting_it(shop: Shop) -> None:
    shop.load([record("a", 1, name=None), record("b", 1, name=None)])
    suite(shop, ANY_NAME + "  - {type: expect_table_row_count_to_be_between, kwargs: {min_value: 3}}\n")
    assert replay(shop) == (2, 0, 0, 2)
    assert {reason for _, reason, state in quarantine(shop) if state == "open"} == {
        "the row: table row count to be between"
    }


def test_a_field_declared_otherwise_is_read_anew_from_the_row(shop: Shop) -> None:
    shop.load([record("a", 1, credit="7 PLN"), record("b", 1)])
    fields = {**SHOP.model_dump(exclude_unset=True)["streams"]["customer"]["fields"], "credit": "text"}
    streams = {"customer": {**SHOP.model_dump(exclude_unset=True)["streams"]["customer"], "fields": fields}}
    shop.system = System.model_validate({**SHOP.model_dump(exclude_unset=True), "streams": streams})
    suite(shop, ANY_CREDIT)
    assert replay(shop) == (1, 1, 0, 0)
    assert shop.current()["a"]["credit"] == "7 PLN"


def test_a_replay_waits_for_the_streams_sync_that_is_on_its_way(shop: Shop) -> None:
    shop.load([record("a", 1, name=None)])
    suite(shop, ANY_NAME)
    steps.land(shop.job(pages([record("a", 2)]), run="sync"))
    run = run_of()
    with pytest.raises(Retriable, match="run sync"):
        shop.run(job(shop, run, opened(shop, run), run_is_over=lambda dag_id, run_id: False))


def test_the_proof_does_not_believe_what_the_rows_say_of_themselves(shop: Shop) -> None:
    shop.load([record("a", 1, name=None), record("b", 1, name=None)])
    suite(shop, ANY_NAME)
    run = run_of()
    shop.run(job(shop, run, opened(shop, run)))
    shop.execute("delete from staging.shop__customer where _key = 'a'")
    with pytest.raises(Fatal, match=r"1 rows of shop\.customer are not where ops\.replay_row says"):
        closed(shop, run)


def test_ledger_audit_and_lineage_tell_of_a_replay(shop: Shop) -> None:
    shop.load([record("a", 1, name=None), record("b", 1, name=None, credit=-1)])
    suite(shop, ANY_NAME)
    replay(shop)
    load = shop.last()
    assert (load.dag_id, load.rows_read, load.rows_new, load.rows_quarantined) == ("replay", 2, 1, 1)
    [(number,)] = shop.query("select replay_id from ops.replay")
    told = shop.query(
        'select action, subject, "from", payload from audit.event'
        " where actor = 'os:tester' and (subject like 'replay:%' or payload ? 'replay') order by seq"
    )
    assert [action for action, *_ in told] == [
        "replay.begin",
        "load.begin",
        "load.land",
        "load.gate",
        "load.publish",
        "replay.close",
    ]
    assert told[0][1:] == (f"replay:{number}", "ops.quarantine", {"streams": ["shop.customer"], "rows_selected": 2})
    published = told[4][3]
    assert (
        published["replay"],
        published["rows_new"],
        published["rows_quarantined"],
        published["rows_superseded"],
    ) == (number, 1, 1, 0)
    assert told[5][3] == {"rows_selected": 2, "rows_published": 1, "rows_superseded": 0, "rows_refused": 1}
    assert shop.query(
        f"select input_dataset like '%.ops.quarantine' from lineage.dataset_edge where load_id = {load.load_id}"  # noqa: S608
    ) == [(True,)]


def test_a_large_replay_becomes_a_part_of_staging_like_any_large_load(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.load([record("a", 1, name=None), record("b", 1, name=None, credit=-1)], [record("c", 1)])
    suite(shop, ANY_NAME)
    monkeypatch.setattr(publishing, "CHILD_TABLE_ROWS", 1)
    monkeypatch.setattr("onefold.load.change_detection.CHILD_TABLE_ROWS", 1)
    assert replay(shop) == (2, 1, 0, 1)
    assert set(shop.current()) == {"a", "c"}


LINES = System.model_validate(
    {
        **SHOP.model_dump(exclude_unset=True),
        "streams": {
            "customer": {
                "title": "Order lines",
                "primary_key": ["order", "id"],
                "deletes": {"complete_group": True},
                "cursor": {"fields": ["changed"]},
                "fields": {"order": "text", "id": "text", "name": "text", "credit": "numeric", "changed": "timestamp"},
            }
        },
    }
)


def line(order: str, number: str, minutes: float, **fields: object) -> Record:
    return record(f'["{order}","{number}"]', minutes, id=number, order=order, **fields)


def test_a_replayed_order_line_does_not_delete_its_sisters(shop: Shop) -> None:
    shop.system = LINES
    shop.load([line("o1", "1", 1), line("o1", "2", 1, name=None), line("o1", "3", 1)])
    suite(shop, ANY_NAME)
    assert replay(shop) == (1, 1, 0, 0)
    assert len(shop.current()) == 3


def test_an_order_line_that_its_order_no_longer_has_is_not_brought_to_life(shop: Shop) -> None:
    shop.system = LINES
    shop.load([line("o1", "1", 1), line("o1", "2", 1, name=None)])
    shop.load([line("o1", "1", 2)])  # the order comes again without its second line
    assert [state for *_, state in quarantine(shop)] == ["superseded"]
    assert set(shop.current()) == {'["o1","1"]'}


def test_a_late_good_version_does_not_close_what_is_newer_and_waits(shop: Shop) -> None:
    shop.load([record("a", 5, name=None)])
    shop.load([record("a", 3, name="Late")])
    assert [state for *_, state in quarantine(shop)] == ["open"]
    suite(shop, ANY_NAME)
    assert replay(shop) == (1, 1, 0, 0)
    assert shop.current()["a"]["name"] is None


def test_a_cursor_that_the_fixed_yaml_reads_makes_a_waiting_row_come_again(shop: Shop) -> None:
    shop.load([Record("a", None, False, record("a", 1).payload), record("good", 1)])
    shop.load([record("a", 1)])
    assert shop.current().keys() == {"a", "good"}
    assert [state for *_, state in quarantine(shop)] == ["superseded"]
