"""Changes that carry only some fields: merged in order into the newest version, or waiting until there is one."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

import msgspec
import pytest

from onefold.catalog.reader import Catalog
from onefold.catalog.system import System
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.errors import Fatal, Rejected
from onefold.rollback.lifecycle import preview_rollback
from onefold.rollback.request import RollbackRequest
from tests.load.shop import SHOP, Shop, at


def shop_of(cursor: bool = False, **rule: object) -> System:
    """The shop, whose changes carry only some fields; without a clock unless `cursor`."""
    content = copy.deepcopy(SHOP.model_dump(exclude_unset=True))
    stream = content["streams"]["customer"]
    stream["partial_changes"] = {"lacks": ["uid"], **rule}
    if not cursor:
        del stream["cursor"], stream["fields"]["changed"]
    return System.model_validate(content)


@pytest.fixture
def series(shop: Shop) -> Shop:
    shop.system = shop_of(master={"id": "series", "own": ["nick"]})
    return shop


def whole(key: str, cursor: str | None = None, **fields: object) -> Record:
    content = {"id": key, "uid": 1, "name": f"Name {key}", "credit": 10, "nick": key, **fields}
    return Record(key, cursor, False, msgspec.json.encode(content))


def part(key: str, cursor: str | None = None, **fields: object) -> Record:
    return Record(key, cursor, False, msgspec.json.encode({"id": key, **fields}))


def gone(key: str) -> Record:
    return Record(key, None, True, msgspec.json.encode({"id": key}))


def now(shop: Shop) -> dict[str, dict]:
    """What is current, without the note of what it was merged into."""
    return {
        key: {name: value for name, value in payload.items() if name not in ("_merged", "uid")}
        for key, payload in shop.current().items()
    }


def waiting(shop: Shop) -> list[tuple]:
    return shop.query("select _key, reason, state from ops.quarantine order by quarantine_id")


def test_a_change_of_some_fields_is_merged_into_the_newest_version_and_nothing_else_changes(series: Shop):
    series.load([whole("a", credit=12.50), whole("b")])
    load = series.load([part("a", name="New"), part("b", nick=None)], [part("a", nick="n")])
    assert (load.rows_new, load.rows_changed, load.rows_quarantined) == (0, 2, 0)
    assert now(series) == {
        "a": {"id": "a", "name": "New", "credit": 12.5, "nick": "n"},
        "b": {"id": "b", "name": "Name b", "credit": 10, "nick": None},
    }
    again = series.load([part("a", name="New"), part("b", nick=None)], [part("a", nick="n")])
    assert (again.rows_new, again.rows_changed) == (0, 0)


def test_changes_within_one_load_are_merged_in_their_order_around_whole_records_and_deletions(series: Shop):
    series.load([whole("a"), whole("b"), whole("c")])
    series.load(
        [part("a", name="1"), whole("a", name="2"), part("a", nick="3"), part("b", name="4"), gone("b")],
        [part("a", nick="5"), gone("c"), whole("c", name="6"), part("c", nick="7"), whole("d"), part("d", nick="8")],
    )
    assert now(series) == {
        "a": {"id": "a", "name": "2", "credit": 10, "nick": "5"},
        "c": {"id": "c", "name": "6", "credit": 10, "nick": "7"},
        "d": {"id": "d", "name": "Name d", "credit": 10, "nick": "8"},
    }


def test_a_change_of_a_record_never_read_waits_with_its_reason_and_is_merged_when_the_record_comes(series: Shop):
    many = [part(f"x{n}", name="New") for n in range(30)]
    load = series.load([whole("a"), *many])
    assert (load.state, load.rows_new, load.rows_quarantined) == ("published", 1, 30)
    assert {reason for _, reason, _ in waiting(series)} == {
        "it carries only some of its fields, and the record that it changes (or takes the others from) was never read"
    }
    assert series.load(many).rows_quarantined == 0  # the same change waits already
    load = series.load([whole(f"x{n}") for n in range(30)])
    assert load.rows_new == 30
    assert now(series)["x7"]["name"] == "Name x7"  # the whole record was read later, so it is newer
    assert {state for *_, state in waiting(series)} == {"superseded"}


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0, 1]])
def test_the_source_s_clock_orders_changes_whatever_the_order_of_pages_and_loads(shop: Shop, order: list[int]):
    shop.system = shop_of(cursor=True)
    readings = [
        whole("a", at(1), changed=at(1)),
        part("a", at(2), name="New", changed=at(2)),
        part("a", at(3), nick="n", name="Newest", changed=at(3)),
    ]
    expected = {"a": {"id": "a", "name": "Newest", "credit": 10, "nick": "n", "changed": at(3)}}
    shop.load(*[[readings[number]] for number in order])
    assert now(shop) == expected
    for number in order:
        shop.load([readings[number]])
    assert now(shop) == expected


def test_a_change_waits_and_is_merged_into_an_older_record_that_comes_later(shop: Shop):
    shop.system = shop_of(cursor=True)
    shop.load([part("a", at(5), name="New", changed=at(5))])
    assert now(shop) == {}
    shop.load([whole("a", at(1), changed=at(1))])
    assert now(shop) == {"a": {"id": "a", "name": "New", "credit": 10, "nick": "a", "changed": at(5)}}
    assert [state for *_, state in waiting(shop)] == ["superseded"]
    shop.load([part("a", at(3), name="Late", changed=at(3))])
    assert now(shop)["a"]["name"] == "New"


def test_a_stub_takes_from_its_master_what_it_lacks_whichever_comes_first_and_follows_it(series: Shop):
    stub = {"series": "m", "type": "occurrence"}
    series.load([part("early", **stub)])
    assert now(series) == {}
    series.load([part("a", **stub), whole("m", credit=5), part("b", **stub, name="Own")])
    expected = {
        "a": {"id": "a", "name": "Name m", "credit": 5, **stub},
        "b": {"id": "b", "name": "Own", "credit": 5, **stub},
        "early": {"id": "early", "name": "Name m", "credit": 5, **stub},
    }
    assert {key: value for key, value in now(series).items() if key != "m"} == expected
    series.load([part("m", credit=7)])
    assert {key: value["credit"] for key, value in now(series).items()} == dict.fromkeys(("a", "b", "early", "m"), 7)
    assert now(series)["b"]["name"] == "Own"
    series.load([part("a", series="m", name="Moved")])
    assert now(series)["a"] == {"id": "a", "name": "Moved", "credit": 7, **stub}
    assert [state for *_, state in waiting(series)] == ["superseded"]


def test_a_change_of_a_record_in_quarantine_is_merged_into_what_waits_there(series: Shop):
    series.load([whole("a"), whole("b")])
    series.load([whole("a", credit=-1, name="Newer")])
    series.load([part("a", nick="n")])
    assert now(series)["a"]["name"] == "Name a"
    assert [state for *_, state in waiting(series)] == ["superseded", "open"]
    series.load([part("a", credit=1)])
    assert now(series)["a"] == {"id": "a", "name": "Newer", "credit": 1, "nick": "n"}


def test_a_renamed_field_is_a_changed_contract_also_where_changes_carry_some_fields(series: Shop):
    series.load([whole(str(n)) for n in range(20)])
    renamed = [
        Record(f"n{n}", None, False, msgspec.json.encode({"id": f"n{n}", "uid": 1, "title": "x", "credit": 1}))
        for n in range(20)
    ]
    with pytest.raises(Rejected, match="field name was text and is now absent"):
        series.load(renamed)


def test_a_load_into_which_later_changes_were_merged_is_rolled_back_only_with_them(series: Shop, loader_url: str):
    first = series.load([whole("a"), whole("b")])
    second = series.load([whole("b", name="B")])
    third = series.load([part("a", name="New")])
    catalog = Catalog({"shop": series.system}, {})

    def plan(*loads: int) -> str:
        return preview_rollback(series.url, catalog, RollbackRequest(loads, reason="wrong")).text

    assert plan(second.load_id)
    assert plan(third.load_id)
    with pytest.raises(Fatal, match=f"Load {third.load_id} .* Roll both back together"):
        plan(first.load_id)
    assert plan(first.load_id, third.load_id)


def test_what_came_after_a_change_that_was_late_is_rolled_back_only_with_it(shop: Shop):
    shop.system = shop_of(cursor=True)
    shop.load([whole("a", at(1), changed=at(1))])
    newer = shop.load([whole("a", at(5), changed=at(5), name="Newer")])
    late = shop.load([part("a", at(3), name="Late", changed=at(3))])
    assert (late.rows_changed, now(shop)["a"]["name"]) == (0, "Newer")
    catalog = Catalog({"shop": shop.system}, {})
    with pytest.raises(Fatal, match="Roll both back together"):
        preview_rollback(shop.url, catalog, RollbackRequest((newer.load_id,), reason="wrong"))
    assert preview_rollback(shop.url, catalog, RollbackRequest((newer.load_id, late.load_id), reason="wrong")).text


def test_digits_and_moments_of_a_merged_record_are_those_that_were_sent(series: Shop):
    sent = b'{"id":"a","uid":1,"name":"A","credit":12345678901234567.890,"nick":null}'
    series.run(series.job([Page([Record("a", None, False, sent)], datetime.now(UTC), None)]))
    series.load([part("a", name="B")])
    assert series.query("select _payload ->> 'credit', _payload ->> 'name' from staging.shop__customer__current") == [
        ("12345678901234567.890", "B")
    ]
