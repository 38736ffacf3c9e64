"""Replay: every quarantined row that is chosen ends published, superseded or again in quarantine; the sum is proven."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.catalog.entity import Entity
from onefold.catalog.system import System
from onefold.connectors.page import Page, Record
from onefold.errors import Fatal, Retriable
from onefold.replay.account import Account, begin, prove
from onefold.replay.choice import Choice, waiting
from onefold.sync import steps
from onefold.sync.job import Job
from onefold.warehouse import publish as publishing
from onefold.warehouse.connection import connect
from onefold.warehouse.ledger import Run
from tests.sync.shop import SHOP, SUITE, Shop, at, pages, record

EXAMPLES = 100 if os.environ.get("ONEFOLD_TORTURE") == "full" else 8
_runs, _streams = itertools.count(1), itertools.count(1)
ANY_NAME = SUITE.replace("  - {type: expect_column_values_to_not_be_null, kwargs: {column: name}}\n", "")
ANY_CREDIT = SUITE.replace(
    "  - {type: expect_column_values_to_be_between, kwargs: {column: credit, min_value: 0}}\n", ""
)


def run_of() -> Run:
    return Run("replay", f"manual__{next(_runs)}", "os:tester")


def begun(shop: Shop, run: Run, reason: str = "the suite was mended", **choice: object) -> Account:
    with connect(shop.url, autocommit=True) as connection:
        return begin(connection, Choice(**choice), reason, run, {"shop": shop.system})


def job(shop: Shop, run: Run, account: Account, **more: object) -> Job:
    """A step of the replay's load of the shop's stream."""
    return replace(
        shop.job([]), run=run, source=None, source_url=None, replay_id=account.replay_id, **{"entities": {}, **more}
    )


def proven(shop: Shop, run: Run) -> tuple[int, int, int, int]:
    """Chosen, published, superseded, again: as the account says once it is proven."""
    with connect(shop.url, autocommit=True) as connection:
        account = prove(connection, run)
    figures = tuple(account.total(what) for what in ("chosen", "published", "superseded", "again"))
    [kept] = shop.query(
        f"select chosen, published, superseded, again from ops.replay where replay_id = {account.replay_id}"  # noqa: S608
    )
    assert figures == kept
    assert figures[0] == sum(figures[1:])
    return figures


def replay(shop: Shop, **choice: object) -> tuple[int, int, int, int]:
    """A whole replay of the shop's stream."""
    run = run_of()
    shop.run(job(shop, run, begun(shop, run, **choice)))
    return proven(shop, run)


def suite(shop: Shop, text: str) -> None:
    name = f"shop__{shop.stream}"
    (shop.suites / f"{name}.yaml").write_text(text.replace("shop__customer", name))


def quarantine(shop: Shop) -> list[tuple]:
    return shop.query("select _key, reason, state from ops.quarantine order by quarantine_id")


def test_rows_that_a_mended_suite_takes_are_published_as_they_were_received(shop: Shop) -> None:
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


def test_a_row_that_is_refused_again_waits_once_more_with_the_new_reason_and_is_not_doubled(shop: Shop) -> None:
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
    account = begun(shop, run)
    shop.load([record("a", 2, name="Newer")])  # after the choice, before its stream's turn
    shop.run(job(shop, run, account))
    assert proven(shop, run) == (2, 1, 1, 0)
    assert shop.current()["a"]["name"] == "Newer"
    assert shop.current()["b"]["name"] is None


def test_a_replay_once_more_finds_nothing_and_says_so(shop: Shop) -> None:
    shop.load([record("a", 1, name=None)])
    suite(shop, ANY_NAME)
    replay(shop)
    before = shop.versions()
    with pytest.raises(Fatal, match="No row that waits in quarantine matches"):
        replay(shop)
    assert shop.versions() == before
    assert shop.query("select count(*) from ops.replay") == [(1,)]


def test_two_replays_of_the_same_rows_publish_them_once(shop: Shop) -> None:
    shop.load([record("a", 1, name=None)])
    suite(shop, ANY_NAME)
    first, second = run_of(), run_of()
    accounts = begun(shop, first), begun(shop, second)
    shop.run(job(shop, second, accounts[1]))
    shop.run(job(shop, first, accounts[0]))
    assert proven(shop, second) == (1, 1, 0, 0)
    assert proven(shop, first) == (1, 0, 1, 0)
    assert len(shop.versions()) == 1


def test_a_replay_moves_neither_cursor_nor_state_nor_answers(shop: Shop) -> None:
    shop.load([record("a", 1, name=None), record("b", 5)])
    kept = "select to_jsonb(c) from ops.cursor c", "select * from ops.stream_state", "select * from ops.answer"
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


def entity(version: int, transform: str) -> dict[str, Entity]:
    source = {"field": "name", "transform": transform}
    attributes = {
        "code": {"meaning": "A code.", "personal": "none", "type": "text", "sources": {"shop.customer": source}}
    }
    return {
        "thing": Entity.model_validate(
            {
                "entity": "thing",
                "title": "Thing",
                "version": version,
                "trust": ["shop"],
                "identity": {"strong": ["code"]},
                "attributes": attributes,
            }
        )
    }


def test_rows_are_chosen_by_the_version_of_the_mapping_that_could_not_read_them(shop: Shop) -> None:
    shop.load([record("before", 1, name=None)])  # no entity is made of the stream yet
    shop.run(replace(shop.job([page_of(record("a", 1))]), entities=entity(1, "nip")))
    shop.run(replace(shop.job([page_of(record("b", 2))]), entities=entity(2, "nip")))
    assert shop.query("select _key, mapping_versions from ops.quarantine order by 1") == [
        ("a", {"thing": 1}),
        ("b", {"thing": 2}),
        ("before", None),
    ]
    run = run_of()
    account = begun(shop, run, mapping_version=1, expectation="thing.code")
    shop.run(job(shop, run, account, entities=entity(3, "text")))
    assert proven(shop, run) == (1, 1, 0, 0)
    assert set(shop.current()) == {"a"}


def page_of(*records: Record) -> Page:
    return pages(list(records))[0]


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        ({}, {"noname", "poor"}),
        ({"system": "shop", "stream": "customer"}, {"noname", "poor"}),
        ({"expectation": "BETWEEN(credit)"}, {"poor"}),
        ({"expectation": "name: to not be"}, {"noname"}),
        ({"end": datetime(2100, 1, 1, tzinfo=UTC)}, {"noname", "poor"}),
    ],
)
def test_rows_are_chosen_by_stream_expectation_reason_and_time(shop: Shop, choice: dict, chosen: set[str]) -> None:
    shop.load([record("noname", 1, name=None), record("poor", 1, credit=-1)])
    account = begun(shop, run_of(), **choice)
    rows = "select _key from ops.replay_row join ops.quarantine using (quarantine_id)"
    assert {key for (key,) in shop.query(f"{rows} where replay_id = {account.replay_id}")} == chosen


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"system": "shpo"}, r"no system 'shpo'.*did you mean \"shop\""),
        ({"system": "shop", "stream": "costumer"}, r"no stream 'costumer'.*did you mean \"customer\""),
        ({"stream": "customer"}, "of which system"),
        (
            {"start": datetime(2026, 2, 1, tzinfo=UTC), "end": datetime(2026, 1, 1, tzinfo=UTC)},
            "start at 2026-02-01T00:00:00Z, not before their end 2026-01-01T00:00:00Z",
        ),
        ({"start": datetime(2100, 1, 1, tzinfo=UTC)}, "No row that waits in quarantine matches"),
        ({"expectation": "no such thing"}, "No row that waits in quarantine matches"),
        ({"reason": " "}, "needs a reason"),
    ],
)
def test_a_wrong_choice_is_refused_before_anything_is_touched(shop: Shop, choice: dict, said: str) -> None:
    shop.load([record("a", 1, name=None)])
    events = shop.query("select count(*) from audit.event")
    with pytest.raises(Fatal, match=f"{said}.*(?i:nothing was changed)"):
        begun(shop, run_of(), **choice)
    assert shop.query("select count(*) from ops.replay") == [(0,)]
    assert shop.query("select count(*) from audit.event") == events


def test_rows_that_cannot_become_records_are_not_chosen_and_are_named_with_the_reason(shop: Shop) -> None:
    shop.load([record(None, 1), record("a", 1, name=None)])
    with connect(shop.url) as connection:
        found = waiting(connection, Choice(), {"shop": shop.system})
    assert [(each.reason, each.rows, each.why_not is None) for each in found] == [
        ("name: to not be null", 1, True),
        ("the primary key (id) is missing", 1, False),
    ]
    account = begun(shop, run_of())
    assert account.total("chosen") == 1
    assert [each.reason for each in account.left_out] == ["the primary key (id) is missing"]
    with pytest.raises(Fatal, match=r"1 of shop\.customer: kept as text.*load its window again"):
        begun(shop, run_of(), expectation="primary key")


def test_rows_of_a_stream_that_the_catalogue_no_longer_has_are_left_out(shop: Shop) -> None:
    shop.load([record("a", 1, name=None)])
    with connect(shop.url, autocommit=True) as connection, pytest.raises(Fatal, match="no longer in catalog/systems"):
        begin(connection, Choice(), "why not", run_of(), {})


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
    account = begun(shop, run)
    with monkeypatch.context() as patch:
        CRASHES[moment](patch)
        with pytest.raises(Killed):
            shop.run(job(shop, run, account))
    with connect(shop.url, autocommit=True) as connection, pytest.raises(Fatal, match=r"shop.customer \(2 of 2 rows\)"):
        prove(connection, run)
    assert begun(shop, run) == account  # the task that chooses is tried again too
    shop.run(job(shop, run, account))
    assert proven(shop, run) == (2, 1, 0, 1)
    assert len(shop.versions()) == 2


def test_a_replay_whose_landing_the_servers_crash_emptied_lands_again(shop: Shop) -> None:
    shop.load([record("a", 1, name=None)])
    suite(shop, ANY_NAME)
    run = run_of()
    account = begun(shop, run)
    load = steps.land(job(shop, run, account))
    shop.execute(f"truncate landing.checkpoint, landing.load_{load.load_id}")
    steps.gate(job(shop, run, account))
    steps.publish(job(shop, run, account))
    assert proven(shop, run) == (1, 1, 0, 0)


def test_a_replay_that_failed_for_good_leaves_its_rows_waiting_and_a_cleared_task_goes_on(shop: Shop) -> None:
    shop.load([record("a", 1, name=None)])
    suite(shop, ANY_NAME.replace("to_be_between", "to_be_betwixt"))
    run = run_of()
    account = begun(shop, run)
    with pytest.raises(Fatal, match="3 expectations are written and 2 were evaluated"):
        shop.run(job(shop, run, account))
    assert quarantine(shop) == [("a", "name: to not be null", "open")]
    suite(shop, ANY_NAME)
    shop.run(job(shop, run, account))
    assert proven(shop, run) == (1, 1, 0, 0)


def test_a_replay_waits_for_the_streams_sync_that_is_on_its_way(shop: Shop) -> None:
    shop.load([record("a", 1, name=None)])
    suite(shop, ANY_NAME)
    steps.land(shop.job([page_of(record("a", 2))], run="sync"))
    run = run_of()
    with pytest.raises(Retriable, match="run sync"):
        shop.run(job(shop, run, begun(shop, run), run_is_over=lambda dag_id, run_id: False))


def test_the_proof_does_not_believe_what_the_rows_say_of_themselves(shop: Shop) -> None:
    shop.load([record("a", 1, name=None), record("b", 1, name=None)])
    suite(shop, ANY_NAME)
    run = run_of()
    shop.run(job(shop, run, begun(shop, run)))
    shop.execute("delete from staging.shop__customer where _key = 'a'")
    with pytest.raises(Fatal, match=r"1 rows of shop\.customer are not where ops\.replay_row says"):
        proven(shop, run)


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
        "replay.prove",
    ]
    assert told[0][1:] == (f"replay:{number}", "ops.quarantine", {"streams": ["shop.customer"], "rows_chosen": 2})
    published = told[4][3]
    assert (
        published["replay"],
        published["rows_new"],
        published["rows_quarantined"],
        published["rows_superseded"],
    ) == (number, 1, 1, 0)
    assert told[5][3] == {"rows_chosen": 2, "rows_published": 1, "rows_superseded": 0, "rows_again": 1}
    assert shop.query(
        f"select input_dataset like '%.ops.quarantine' from lineage.dataset_edge where load_id = {load.load_id}"  # noqa: S608
    ) == [(True,)]


def test_a_large_replay_becomes_a_part_of_staging_like_any_large_load(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.load([record("a", 1, name=None), record("b", 1, name=None, credit=-1)], [record("c", 1)])
    suite(shop, ANY_NAME)
    monkeypatch.setattr(publishing, "LARGE", 1)
    monkeypatch.setattr("onefold.quality.candidate.LARGE", 1)
    assert replay(shop) == (2, 1, 0, 1)
    assert set(shop.current()) == {"a", "c"}


LINES = System.model_validate(
    {
        **SHOP.model_dump(exclude_unset=True),
        "streams": {
            "customer": {
                "title": "Order lines",
                "primary_key": ["order", "id"],
                "whole": True,
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


def test_a_cursor_that_the_mended_yaml_reads_makes_a_waiting_row_come_again(shop: Shop) -> None:
    shop.load([Record("a", None, False, record("a", 1).payload), record("good", 1)])
    shop.load([record("a", 1)])
    assert shop.current().keys() == {"a", "good"}
    assert [state for *_, state in quarantine(shop)] == ["superseded"]


CONTENT = {"name": st.sampled_from([None, "N"]), "credit": st.sampled_from([-1, 1])}
READINGS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 4), st.fixed_dictionaries(CONTENT)), min_size=1, max_size=5
)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("load"), READINGS),
        st.tuples(st.just("suite"), st.sampled_from([SUITE, ANY_NAME, ANY_CREDIT])),
        st.tuples(st.just("choose"), st.sampled_from([None, "name", "credit"])),
        st.tuples(st.just("replay"), st.none()),
    ),
    min_size=3,
    max_size=9,
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(acts=ACTS)
def test_whatever_comes_between_choice_and_replay_the_sum_holds(shop: Shop, acts: list[tuple]) -> None:
    """Loads, suites and other replays, in any order: the sum is proven, and nothing older follows what is newer."""
    here = of_a_stream_that_nobody_has_used(shop)
    suite(here, SUITE)
    here.load([record("z", 0), record("a", 0, name=None), record("b", 0, credit=-1)])
    under_way: list[tuple[Run, Account]] = []

    def finish() -> None:
        run, account = under_way.pop()
        here.run(job(here, run, account))
        assert proven(here, run)[0] == account.total("chosen")

    for act, what in acts:
        match act:
            case "load":
                here.load([record(key, minute, **content) for key, minute, content in what])
            case "suite":
                suite(here, what)
            case "choose":
                run = run_of()
                with suppress(Fatal):  # nothing waits that matches
                    under_way.append((run, begun(here, run, system="shop", stream=here.stream, expectation=what)))
            case "replay" if under_way:
                finish()
    while under_way:
        finish()
    closed = f"select (state = 'open') = (closed_by_load is null) from ops.quarantine where stream = '{here.stream}'"  # noqa: S608
    assert all(agrees for (agrees,) in here.query(closed))
    versions = f"staging.shop__{here.stream}"
    shown = here.query(f'select _key, max(_cursor collate "C") from {versions} group by 1 order by 1')  # noqa: S608
    assert shown == here.query(f"select _key, _cursor from {versions}__current order by 1")  # noqa: S608


def of_a_stream_that_nobody_has_used(shop: Shop) -> Shop:
    stream = f"customer{next(_streams)}"
    system = SHOP.model_dump(exclude_unset=True) | {"streams": {stream: SHOP.streams["customer"]}}
    return Shop(shop.url, shop.suites, System.model_validate(system), stream)
