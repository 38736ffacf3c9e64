"""Values of a class that is kept for less time than its rows are erased in place; rows, counts and all else stay."""

from __future__ import annotations

import itertools
from datetime import date

import psycopg
import pytest
from psycopg.types.json import Jsonb

from onefold.audit import entries_from_database, verify
from onefold.catalog.fields import SourceField
from onefold.catalog.stream import KeptByLaw
from onefold.catalog.system import System
from onefold.privacy import law_periods
from onefold.privacy.personal_fields import Path, PersonalFields, leaves
from onefold.retention import purge
from onefold.warehouse.connection import connect
from onefold.warehouse.rows import one_row
from tests.load.shop import SHOP, Shop, record
from tests.retention.conftest import Warehouse, by_class


def shop_of(law: KeptByLaw | None = None, **fields: SourceField) -> System:
    """The shop, where `nick` is sensitive: versions are kept for years, and what is sensitive in them for a day."""
    customer = SHOP.streams["customer"]
    sensitive = {"nick": SourceField(personal="sensitive", required=False), **fields}
    changed = customer.model_copy(update={"fields": customer.fields | sensitive, "kept_by_law": law})
    return by_class(SHOP.model_copy(update={"streams": {"customer": changed}}), sensitive="P1D")


CLASSED = shop_of()


def due(warehouse: Warehouse, system: System = CLASSED) -> dict[tuple[str, str], int]:
    return {
        (kept.store, kept.data_class): kept.due
        for kept in warehouse.plan(system)
        if kept.subject == "shop.customer" and kept.due and kept.store != "superseded"
    }


def nicks(shop: Shop) -> list[tuple]:
    return [(key, payload["credit"], payload.get("nick")) for key, payload, *_ in shop.versions()]


def test_what_is_sensitive_in_replaced_versions_goes_and_all_else_stays(shop: Shop, warehouse: Warehouse) -> None:
    for minute in range(3):
        shop.load([record("a", minute, credit=minute, nick=f"Secret {minute}"), record("b", 0, nick="Present")])
    assert due(warehouse) == {}, "all can still be rolled back"
    warehouse.time_passes()
    last = shop.load([record("a", 5, credit=5, nick="Newest")])
    before = shop.versions()
    assert due(warehouse) == {("history", "sensitive"): 2}
    done = warehouse.retain(CLASSED)
    found = [(each.rows, each.data_class) for each in done.purged if each.store == "history"]
    assert found == [(2, "sensitive")]
    assert nicks(shop) == [
        ("a", 0, None),
        ("a", 1, None),
        ("a", 2, "Secret 2"),
        ("a", 5, "Newest"),
        ("b", 10, "Present"),
    ]
    for (key, was, *rest), (same_key, now, *same_rest) in zip(before, shop.versions(), strict=True):
        assert (key, rest, was | {"nick": now["nick"]}) == (same_key, same_rest, now)
    assert due(warehouse) == {}
    assert warehouse.retain(CLASSED).rows == 0
    said = "select result, payload - 'period_days' from audit.event where \"from\" = 'shop.customer' and action = "
    assert warehouse.query(f"{said} 'retention.purge' and payload ? 'erased_class'") == [
        ("ok", {"store": "history", "rows": 2, "erased_class": "sensitive"})
    ]
    assert warehouse.query("select count(*) from audit.event where payload::text ~ 'Secret'") == [(0,)]
    hashes = "select count(*) from staging.shop__customer where _hash = ops.erased_hash(_payload, _deleted)"
    assert warehouse.query(hashes) == [(2,)], "the old fingerprint would prove what was there"
    assert last.rows_changed == 1


def test_what_a_law_keeps_of_a_record_stays_until_its_period_is_over(
    shop: Shop, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    law = KeptByLaw(fields=["nick"], basis="the law", years=5, since="changed")
    system = shop_of(law, credit=SourceField(type="numeric", personal="sensitive"))
    for minute, year in enumerate(("2019", "2026", "2027")):
        shop.load([record("a", minute, changed=f"{year}-05-01T00:00:00Z", credit=minute, nick=f"Secret {year}")])
    warehouse.time_passes()
    shop.load([record("a", 5)])
    monkeypatch.setattr(law_periods, "today", lambda: date(2031, 12, 31))
    warehouse.retain(system)
    assert [nick for _, _, nick in nicks(shop)][:3] == [None, "Secret 2026", "Secret 2027"]
    assert [credit for _, credit, _ in nicks(shop)] == [None, None, 2, 10]
    monkeypatch.setattr(law_periods, "today", lambda: date(2032, 1, 1))
    warehouse.retain(system)
    assert [nick for _, _, nick in nicks(shop)][:3] == [None, None, "Secret 2027"], "the newest final version stays"


def test_a_run_killed_between_two_batches_and_run_again_ends_as_if_undisturbed(
    shop: Shop, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for minute in range(4):
        shop.load([record("a", minute, credit=minute, nick=f"Secret {minute}")])
    warehouse.time_passes()
    monkeypatch.setattr(purge, "BATCH", 1)
    batches = itertools.count()
    delete_batch = purge.RowPurge.delete_batch

    def killed(self: purge.RowPurge, connection: psycopg.Connection) -> int:
        rows = delete_batch(self, connection)
        if rows and self.data_class and next(batches) == 1:
            connection.execute("select pg_terminate_backend(pg_backend_pid())")
        return rows

    monkeypatch.setattr(purge.RowPurge, "delete_batch", killed)
    with pytest.raises(Exception, match=r"terminat|connection"):
        warehouse.retain(CLASSED)
    assert [nick for *_, nick in nicks(shop)].count(None) == 1, "the second batch is as if it had never been"
    warehouse.retain(CLASSED)
    assert [nick for *_, nick in nicks(shop)] == [None, None, None, "Secret 3"]
    told = warehouse.query(
        "select result, (payload -> 'rows')::int from audit.event where payload ? 'erased_class' order by seq"
    )
    assert told == [("interrupted", 1), ("ok", 2)]
    with connect(warehouse.url) as connection:
        assert verify(entries_from_database(connection)).ok


PLACES: list[Path] = [("plain",), ("whole",), ("list", "*", "name"), ("deep", "*"), ("gone",), ("list", "0", "extra")]
SPARED: list[Path] = [("whole", "kept"), ("list", "1")]
CONTENT = {
    "plain": "a value",
    "other": {"plain": 1},
    "whole": {"a": 1.50, "b": [True, None, {"c": ""}], "kept": [1, 2]},
    "list": [{"name": "first", "extra": 1}, {"name": "second"}, {"name": {"given": "x"}, "extra": 2}, "text"],
    "deep": {"x": {"y": [1]}, "z": 0},
}


def test_the_database_finds_the_values_that_the_catalogue_says(loader_url: str) -> None:
    fields = PersonalFields(tuple((place, "a field") for place in PLACES), (), tuple(SPARED), ())
    expected = {path for path, _ in leaves(CONTENT) if fields.is_personal(path) and not fields.is_kept(path)}
    with connect(loader_url) as connection:
        (changes,) = one_row(
            connection.execute("select ops.values_at(%s, %s, %s)", tuple(map(Jsonb, (CONTENT, PLACES, SPARED))))
        )
        assert {tuple(path) for path, to in changes if to is None} == expected
        assert len(changes) == len(expected) > 8
        for nothing in (None, 1, "text", [], {}):
            (none,) = one_row(connection.execute("select ops.values_at(%s, %s, '[]')", (Jsonb(nothing), Jsonb(PLACES))))
            assert none == []


def test_what_is_sensitive_in_closed_rows_of_quarantine_goes_and_what_waits_stays_whole(
    shop: Shop, warehouse: Warehouse
) -> None:
    refused = [record(key, 0, credit=-1, nick=f"Secret {key}") for key in "ad"]
    shop.load([*refused, record("b", 0), record("c", 0)])
    shop.load([record("a", 1)])
    warehouse.execute(
        "insert into ops.quarantine (load_id, system, stream, _hash, raw, _extracted_at, suite, expectation, reason,"
        " state, closed_at, closed_by_load) select 1, 'shop', 'customer', '', 'Secret {', now(), 'landing',"
        " 'readable ' || what, 'why', 'superseded', now(), 2 from unnest('{record, partition}'::text[]) what"
    )
    warehouse.time_passes()
    shop.load([record("b", 20)])
    assert due(warehouse) == {("quarantine", "sensitive"): 2}
    warehouse.retain(CLASSED)
    rows = (
        "select _key, state, payload ->> 'nick', payload ->> 'credit', raw from ops.quarantine order by quarantine_id"
    )
    assert shop.query(rows) == [
        ("a", "superseded", None, "-1", None),
        ("d", "open", "Secret d", "-1", None),
        (None, "superseded", None, None, "[erased]"),
        (None, "superseded", None, None, "Secret {"),
    ]
    assert due(warehouse) == {}
