"""A large load becomes a part of staging as it is, instead of being copied into it; nobody can tell the difference."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from onefold.connectors.page import Page
from onefold.connectors.partition import Partition
from onefold.load import change_detection, publish
from tests.load.shop import Shop, record

LOADS = [
    [[record("a", 1), record("b", 2), record("bad", 2, credit=-1)], [record("b", 3, name="Twice"), record(None, 3)]],
    [[record("a", 1), record("b", 4, deleted=True), record("c", 4)]],
    [[record("a", 1), record("b", 4, deleted=True), record("c", 4)]],
    [[record("bad", 5), record("a", 0, name="Late")]],
]
SEEN = (
    "select _key, _payload, _cursor, _deleted, _load_id from staging.shop__customer order by _key, _load_id",
    "select _key, _payload, _deleted from staging.shop__customer__current order by _key",
    "select rows_new, rows_changed, rows_deleted, rows_quarantined from ops.load order by load_id",
    "select _key, reason, state from ops.quarantine order by 1, 2",
    "select value from ops.cursor",
)
PARTS = "select count(*) from pg_inherits where inhparent = 'staging.shop__customer'::regclass"


def test_a_large_load_becomes_a_part_of_staging_and_reads_like_any_other(
    shop, warehouse_factory, tmp_path, monkeypatch
):
    for load in LOADS:
        shop.load(*load)
    assert shop.query(PARTS) == [(0,)]
    for module in (change_detection, publish):
        monkeypatch.setattr(module, "CHILD_TABLE_ROWS", 1)
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "other"))
    with warehouse_factory() as url:
        other = Shop(url, shop.suites)
        for load in LOADS:
            other.load(*load)
        assert other.query(PARTS) == [(3,)]
        assert [other.query(text) for text in SEEN] == [shop.query(text) for text in SEEN]


@pytest.mark.parametrize("large", [1, 1000])
def test_a_load_holds_a_key_once(shop, monkeypatch, large):
    for module in (change_detection, publish):
        monkeypatch.setattr(module, "CHILD_TABLE_ROWS", large)
    shop.load([record("a", 1)])
    part = shop.query("select distinct tableoid::regclass::text from staging.shop__customer")[0][0]
    with pytest.raises(psycopg.errors.UniqueViolation):
        shop.execute(f"insert into {part} select * from {part}")  # noqa: S608 - its name comes from the catalogue


def test_what_becomes_a_part_of_staging_outlives_a_crash_however_little_was_read(shop, monkeypatch):
    for module in (change_detection, publish):
        monkeypatch.setattr(module, "CHILD_TABLE_ROWS", 2)
    shop.load([record(key, 1) for key in "abc"])
    now = datetime.now(UTC)
    listed = Page([record("a", 1)], now, None, ended=(Partition("", None, now - timedelta(seconds=1)),))
    assert shop.run(shop.job([listed])).rows_deleted == 2
    kinds = "select relpersistence from pg_class join pg_inherits on inhrelid = oid where inhparent = '{}'::regclass"
    assert shop.query(kinds.format("staging.shop__customer")) == [("p",), ("p",)]
