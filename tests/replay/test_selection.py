"""Which open rows a replay selects, and what it refuses before anything is changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from onefold.catalog.entity import Entity
from onefold.errors import Fatal
from onefold.replay.ledger import open_replay
from onefold.replay.selection import Selection, matching_rows
from onefold.warehouse.connection import connect
from tests.load.shop import Shop, pages, record
from tests.replay.replaying import ANY_NAME, closed, job, opened, replay, run_of, suite


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


def test_rows_are_selected_by_the_version_of_the_mapping_that_could_not_read_them(shop: Shop) -> None:
    shop.load([record("before", 1, name=None)])  # no entity is made of the stream yet
    shop.run(replace(shop.job(pages([record("a", 1)])), entities=entity(1, "nip")))
    shop.run(replace(shop.job(pages([record("b", 2)])), entities=entity(2, "nip")))
    assert shop.query("select _key, mapping_versions from ops.quarantine order by 1") == [
        ("a", {"thing": 1}),
        ("b", {"thing": 2}),
        ("before", None),
    ]
    run = run_of()
    account = opened(shop, run, mapping_version=1, expectation="thing.code")
    shop.run(job(shop, run, account, entities=entity(3, "text")))
    assert closed(shop, run) == (1, 1, 0, 0)
    assert set(shop.current()) == {"a"}


@pytest.mark.parametrize(
    ("selection", "selected"),
    [
        ({}, {"noname", "poor"}),
        ({"system": "shop", "stream": "customer"}, {"noname", "poor"}),
        ({"expectation": "BETWEEN(credit)"}, {"poor"}),
        ({"expectation": "name: to not be"}, {"noname"}),
        ({"end": datetime(2100, 1, 1, tzinfo=UTC)}, {"noname", "poor"}),
    ],
)
def test_rows_are_selected_by_stream_expectation_reason_and_time(
    shop: Shop, selection: dict, selected: set[str]
) -> None:
    shop.load([record("noname", 1, name=None), record("poor", 1, credit=-1)])
    account = opened(shop, run_of(), **selection)
    rows = "select _key from ops.replay_row join ops.quarantine using (quarantine_id)"
    assert {key for (key,) in shop.query(f"{rows} where replay_id = {account.replay_id}")} == selected


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ({"system": "shpo"}, r"no system 'shpo'.*did you mean \"shop\""),
        ({"system": "shop", "stream": "costumer"}, r"no stream 'costumer'.*did you mean \"customer\""),
        ({"stream": "customer"}, "of which system"),
        (
            {"start": datetime(2026, 2, 1, tzinfo=UTC), "end": datetime(2026, 1, 1, tzinfo=UTC)},
            "starts at 2026-02-01T00:00:00Z, not before its end 2026-01-01T00:00:00Z",
        ),
        ({"start": datetime(2100, 1, 1, tzinfo=UTC)}, "No open row in quarantine matches"),
        ({"expectation": "no such thing"}, "No open row in quarantine matches"),
        ({"reason": " "}, "needs a reason"),
    ],
)
def test_a_wrong_selection_is_refused_before_anything_is_changed(shop: Shop, selection: dict, said: str) -> None:
    shop.load([record("a", 1, name=None)])
    events = shop.query("select count(*) from audit.event")
    with pytest.raises(Fatal, match=f"{said}.*(?i:nothing was changed)"):
        opened(shop, run_of(), **selection)
    assert shop.query("select count(*) from ops.replay") == [(0,)]
    assert shop.query("select count(*) from audit.event") == events


def test_rows_that_cannot_become_records_are_not_selected_and_are_named_with_the_reason(shop: Shop) -> None:
    shop.load([record(None, 1), record("a", 1, name=None)])
    with connect(shop.url) as connection:
        found = matching_rows(connection, Selection(), {"shop": shop.system})
    assert [(each.reason, each.rows, each.why_not is None) for each in found] == [
        ("name: to not be null", 1, True),
        ("the primary key (id) is missing", 1, False),
    ]
    account = opened(shop, run_of())
    assert account.totals["selected"] == 1
    assert [each.reason for each in account.not_replayable] == ["the primary key (id) is missing"]
    with pytest.raises(Fatal, match=r"1 of shop\.customer: stored as text.*load it again \(bin/onefold sync shop\)"):
        opened(shop, run_of(), expectation="primary key")


def test_rows_of_a_stream_that_the_catalogue_no_longer_has_are_left_out(shop: Shop) -> None:
    shop.load([record("a", 1, name=None)])
    with connect(shop.url, autocommit=True) as connection, pytest.raises(Fatal, match="no longer in catalog/systems"):
        open_replay(connection, Selection(), "why not", run_of(), {})


def test_a_replay_once_more_finds_nothing_and_says_so(shop: Shop) -> None:
    shop.load([record("a", 1, name=None)])
    suite(shop, ANY_NAME)
    replay(shop)
    before = shop.versions()
    with pytest.raises(Fatal, match="No open row in quarantine matches"):
        replay(shop)
    assert shop.versions() == before
    assert shop.query("select count(*) from ops.replay") == [(1,)]
