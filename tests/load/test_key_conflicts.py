"""Different rows under one key in one load, with nothing to order them: none is dropped or chosen, all are shown."""

from __future__ import annotations

from datetime import timedelta

import pytest

from onefold.catalog.system import System
from onefold.connectors.files.connector import FilesConnector
from onefold.connectors.rest.connector import RestConnector
from onefold.connectors.sql.connector import SqlConnector
from onefold.errors import Rejected
from onefold.load import change_detection, gate_step
from tests.load.shop import SHOP, Shop, pages, record


def waiting(shop: Shop) -> list[tuple[str, str]]:
    return shop.query(
        "select _key, payload ->> 'name' from ops.quarantine where state = 'open' and key_conflict order by 1, 2"
    )


def counts(load) -> tuple[int, ...]:
    return load.rows_read, load.rows_new, load.rows_changed, load.rows_quarantined, load.rows_conflicting


def test_different_rows_under_one_key_wait_together_and_are_counted(shop):
    load = shop.load([record("a", 1, name="Acme"), record("b", 1), record("a", 1, name="Bolt")])
    assert counts(load) == (3, 1, 0, 2, 2)
    assert waiting(shop) == [("a", "Acme"), ("a", "Bolt")]
    assert shop.query("select distinct expectation, reason from ops.quarantine") == [
        ("one row a key", "2 different rows have this key (id), and nothing says which is newer")
    ]
    assert set(shop.current()) == {"b"}
    assert shop.query("select payload ->> 'rows_conflicting' from audit.event where action = 'load.publish'") == [
        ("2",)
    ]


@pytest.mark.parametrize("reads", [FilesConnector, SqlConnector, RestConnector])
def test_rows_of_one_file_or_table_are_in_conflict_across_pages_and_where_records_may_change_the_later_page_counts(
    shop, monkeypatch, reads
):
    monkeypatch.setattr(gate_step, "connector_class", lambda system: reads)
    first, second = pages([record("a", 1, name="Acme"), record("b", 1)], [record("a", 1, name="Bolt")])
    load = shop.run(shop.job([first, second.__class__(second.records, second.extracted_at + timedelta(1), None)]))
    assert counts(load) == ((3, 2, 0, 0, 0) if reads is RestConnector else (3, 1, 0, 2, 2))


def test_the_same_row_twice_is_one_row_and_a_greater_cursor_decides(shop):
    load = shop.load([record("a", 1), record("a", 1), record("b", 1, name="Old"), record("b", 2, name="New")])
    assert counts(load) == (4, 2, 0, 0, 0)
    assert shop.current()["b"]["name"] == "New"


def test_what_is_no_content_makes_no_conflict(loader_url, tmp_path, shop):
    stream = SHOP.streams["customer"].model_dump(exclude_unset=True) | {"volatile": ["nick"]}
    system = System.model_validate(SHOP.model_dump(exclude_unset=True) | {"streams": {"customer": stream}})
    calm = Shop(loader_url, tmp_path, system)
    assert counts(calm.load([record("a", 1, nick="x"), record("a", 1, nick="y")])) == (2, 1, 0, 0, 0)


def test_a_conflict_leaves_what_is_published_as_it_is_and_is_stored_once(shop):
    shop.load([record("a", 1, name="Acme"), record("b", 1)])
    again = [[record("a", 1, name="Acme"), record("a", 1, name="Bolt"), record("b", 1)]]
    assert counts(shop.load(*again)) == (3, 0, 0, 2, 2)
    assert counts(shop.load(*again)) == (3, 0, 0, 0, 0)
    assert shop.current()["a"]["name"] == "Acme"
    assert len(shop.query("select from ops.quarantine")) == 2
    other = shop.load([record("a", 1, name="Acme"), record("a", 1, name="Cuprum"), record("b", 1)])
    assert counts(other) == (3, 0, 0, 1, 1)
    assert waiting(shop) == [("a", "Acme"), ("a", "Cuprum")]


@pytest.mark.parametrize("name", ["Acme", "Bolt", "Cuprum"])
def test_one_row_of_the_key_ends_the_conflict(shop, name):
    shop.load([record("a", 1, name="Acme"), record("b", 1)])
    shop.load([record("a", 2, name="Acme"), record("a", 2, name="Bolt"), record("b", 1)])
    load = shop.load([record("a", 2, name=name)])
    assert counts(load)[3:] == (0, 0)
    assert waiting(shop) == []
    assert shop.current()["a"]["name"] == name
    assert shop.query("select state, count(*) from ops.quarantine group by 1") == [("superseded", 2)]


def test_a_deletion_ends_the_conflict(shop):
    shop.load([record("a", 1, name="Acme"), record("a", 1, name="Bolt"), record("b", 1)])
    shop.load([record("a", 2, deleted=True)])
    assert waiting(shop) == []


def test_too_many_conflicts_refuse_the_load(shop):
    rows = [record(str(n), 1, name=name) for n in range(20) for name in ("Acme", "Bolt")]
    with pytest.raises(Rejected, match=r"40 of 140 rows failed.*different rows under one key"):
        shop.load([*rows, *(record(f"good {n}", 1) for n in range(100))])


def test_conflicts_that_wait_already_do_not_refuse_a_later_smaller_load(shop):
    standing = [record(str(n), 1, name=name) for n in range(12) for name in ("Acme", "Bolt")]
    shop.load([*standing, *(record(f"good {n}", 1) for n in range(600))])
    load = shop.load([*standing, record("good 1", 2, name="Changed"), record("new", 2)])
    assert counts(load) == (26, 1, 1, 0, 0)
    assert len(waiting(shop)) == 24
    with pytest.raises(Rejected, match=r"13 of 13 rows failed.*different rows under one key"):
        shop.load([*standing, *(record("one more", 3, name=f"Name {n}") for n in range(13))])


def test_unique_keys_are_not_looked_at_twice(shop, monkeypatch):
    def never(*_: object, **__: object) -> int:
        raise AssertionError("looked for conflicts where no key is there twice")

    monkeypatch.setattr(change_detection, "find_key_conflicts", never)
    assert shop.load([record("a", 1), record("b", 1)]).rows_new == 2


def test_rows_in_conflict_are_not_replayed_and_the_reason_says_what_to_do(shop):
    from onefold.replay.selection import Selection, matching_rows
    from onefold.warehouse.connection import connect

    shop.load([record("a", 1, name="Acme"), record("a", 1, name="Bolt"), record("b", 1)])
    with connect(shop.url) as connection:
        (found,) = matching_rows(connection, Selection(), {"shop": SHOP})
    assert found.rows == 2
    assert str(found.why_not).startswith(
        "several rows have its key: add to primary_key what tells them apart, then load"
    )


def test_a_load_in_which_every_row_fails_is_refused_and_the_window_stays(shop):
    shop.load([record("a", 1)])
    before = shop.query("select value, window_end from ops.cursor")
    for bad in ([record(None, 5), record(None, 6)], [record(str(n), 5, credit=-1) for n in range(5)]):
        with pytest.raises(Rejected, match=rf"every one of its {len(bad)} rows failed"):
            shop.load(bad)
    assert shop.query("select value, window_end from ops.cursor") == before
    assert shop.load([record("c", 5, credit=-1), record("d", 6)]).rows_quarantined == 1
    assert shop.load([record("e", 7, credit=-1), record("f", 7, credit=-1)]).rows_quarantined == 2  # may be chance
