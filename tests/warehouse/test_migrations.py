"""Which migrations run, which are refused, and what one that fails leaves."""

from __future__ import annotations

import re
import shutil
import threading
import time
from pathlib import Path

import psycopg
import pytest

from onefold.errors import Fatal, Retriable
from onefold.warehouse import schema
from onefold.warehouse.migration_files import FOLDER, numbered_migrations
from onefold.warehouse.schema import upgrade_schema
from tests.roles import as_role


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the migrations, to change."""
    return Path(shutil.copytree(FOLDER, tmp_path / "migrations"))


def test_an_older_engine_refuses_a_newer_schema(warehouse_url: str, folder: Path):
    (folder / "9001_from_the_future.sql").write_text("create table ops.future (id int);")
    upgrade_schema(warehouse_url, folder)
    with pytest.raises(Fatal, match=r"made by a newer Onefold \(.*9001_from_the_future\).*Nothing was changed"):
        upgrade_schema(warehouse_url)


def test_a_migration_that_was_changed_after_it_was_applied_is_refused_by_name(warehouse_url: str, folder: Path):
    changed = folder / "0003_rollback.sql"
    changed.write_text(changed.read_text() + "-- a harmless word")
    with pytest.raises(Fatal, match=r"0003_rollback\.sql was changed after it had been applied"):
        upgrade_schema(warehouse_url, folder)


def test_a_migration_that_fails_leaves_nothing_and_those_before_it_stay(warehouse_url: str, folder: Path):
    (folder / "9001_good.sql").write_text("create table ops.good (id int);")
    (folder / "9002_bad.sql").write_text("create table ops.half (id int); insert into ops.half values ('x');")
    with pytest.raises(Fatal, match="migration 9002_bad"):
        upgrade_schema(warehouse_url, folder)
    with psycopg.connect(warehouse_url) as warehouse:
        made = warehouse.execute("select to_regclass('ops.good') is null, to_regclass('ops.half') is null").fetchone()
        assert made == (False, True)
    (folder / "9002_bad.sql").write_text("create table ops.half (id int);")
    assert upgrade_schema(warehouse_url, folder).migrations == ("9002_bad",)


def test_a_lower_number_that_comes_later_still_runs(warehouse_url: str, folder: Path):
    (folder / "9002_second.sql").write_text("create table ops.second (id int);")
    upgrade_schema(warehouse_url, folder)
    (folder / "9001_first.sql").write_text("create table ops.first (id int);")
    assert upgrade_schema(warehouse_url, folder).migrations == ("9001_first",)


def test_a_changed_repeatable_file_runs_again_and_no_migration_does(warehouse_url: str, folder: Path):
    (folder / "repeatable/95_more.sql").write_text("comment on table ops.load is 'changed';")
    upgrade = upgrade_schema(warehouse_url, folder)
    assert (upgrade.migrations, upgrade.refreshed) == ((), True)
    with psycopg.connect(warehouse_url) as warehouse:
        assert warehouse.execute("select obj_description('ops.load'::regclass)").fetchone() == ("changed",)


def test_a_table_that_stays_in_use_is_named_as_the_reason_and_nothing_is_changed(
    warehouse_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(schema, "LOCK_TIMEOUT_SECONDS", 1)
    (folder / "9001_wide.sql").write_text("alter table ops.load add column wide int;")
    with psycopg.connect(warehouse_url) as reader:
        reader.execute("select count(*) from ops.load")
        with pytest.raises(Retriable, match="9001_wide: a table that it changes was in use for more than 1 s"):
            upgrade_schema(warehouse_url, folder)
    assert upgrade_schema(warehouse_url, folder).migrations == ("9001_wide",)


def test_readers_never_wait_behind_an_upgrade_that_waits_for_one_of_them(
    warehouse_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(schema, "LOCK_TIMEOUT_SECONDS", 3)
    (folder / "9001_wide.sql").write_text("alter table conformed.customer_version add column _wide int;")
    failed: list[Exception] = []

    def upgrade() -> None:
        try:
            upgrade_schema(warehouse_url, folder)
        except Retriable as error:
            failed.append(error)

    with (
        psycopg.connect(as_role(warehouse_url, "onefold_analyst")) as idle,
        psycopg.connect(as_role(warehouse_url, "onefold_analyst"), autocommit=True) as reader,
    ):
        idle.execute("select count(*) from conformed.customer")  # and goes to lunch
        up = threading.Thread(target=upgrade)
        up.start()
        waits = []
        while up.is_alive():
            began = time.monotonic()
            reader.execute("select count(*) from conformed.customer")
            waits.append(time.monotonic() - began)
            time.sleep(0.01)
    assert max(waits) < 1, "a reader was queued behind the upgrade"
    assert re.search(r"9001_wide: .*in use.*Transactions are open of onefold_analyst \(pid \d+\)", str(failed[0]))
    assert upgrade_schema(warehouse_url, folder).migrations == ("9001_wide",)


def test_only_what_has_changed_and_what_follows_it_is_applied_again(warehouse_url: str, folder: Path):
    applied = "select name from ops.schema_repeatable where applied_at > %s order by name"
    with psycopg.connect(warehouse_url, autocommit=True) as warehouse:
        (before,) = warehouse.execute("select clock_timestamp()").fetchone()
        assert not upgrade_schema(warehouse_url, folder).refreshed
        grants = folder / "repeatable/90_grants.sql"
        grants.write_text(grants.read_text() + "-- a harmless word")
        assert upgrade_schema(warehouse_url, folder).refreshed
        names = [name for (name,) in warehouse.execute(applied, [before])]
        later = sorted(path.stem for path in (folder / "repeatable").glob("9*.sql"))
        assert names == later


def test_a_file_whose_place_in_the_order_is_not_known_is_refused(tmp_path: Path):
    (tmp_path / "add_column.sql").touch()
    with pytest.raises(Fatal, match=r"add_column\.sql is not named NNNN_what_it_does\.sql"):
        numbered_migrations(tmp_path)
