"""A warehouse of the last release before numbered migrations is upgraded, keeps its data and goes on loading."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from onefold.audit import Trust, anchor, anchors, entries_from_database, signing_key, verify
from onefold.errors import Retriable
from onefold.warehouse.migration_files import FOLDER, numbered_migrations
from onefold.warehouse.schema import upgrade_schema
from tests.effort import TORTURE
from tests.kills import count_kill
from tests.load.shop import SHOP, SUITE, Shop, pages, record
from tests.roles import as_role
from tests.warehouse.conftest import Databases
from tests.warehouse.old_release import FIXTURES
from tests.warehouse.schema_dump import schema_of


def without_indexes_of_the_first_publish(schema: set[str]) -> set[str]:
    return {block for block in schema if not re.search(r"Type: INDEX; Schema: (conformed|mapped);", block)}


def test_an_upgraded_warehouse_has_the_schema_of_a_new_one(old_warehouse: str, empty_databases: Databases):
    upgrade_schema(old_warehouse)
    with empty_databases() as new:
        upgrade_schema(new)
        upgraded, fresh = map(without_indexes_of_the_first_publish, (schema_of(old_warehouse), schema_of(new)))
    assert upgraded ^ fresh == set()


def test_contract_changes_are_kept_when_drift_gets_its_new_meaning(old_warehouse: str):
    with psycopg.connect(old_warehouse, autocommit=True) as warehouse:
        warehouse.execute("drop table ops.drift")
        warehouse.execute("alter table ops.contract_change rename to drift")
        warehouse.execute("alter index ops.contract_change_pkey rename to drift_pkey")
        before = warehouse.execute(
            "insert into ops.drift (load_id, system, stream, field, was, is_now, rows)"
            " select min(load_id), 'shop', 'customer', 'name', 'text', 'absent', 3 from ops.load returning load_id"
        ).fetchall()
        upgrade_schema(old_warehouse)
        assert warehouse.execute("select load_id from ops.contract_change where field = 'name'").fetchall() == before
        assert warehouse.execute("select count(*), min(since) from ops.drift").fetchone() == (0, None)


# As of the release before, and as of this one: tables may be renamed, their rows stay.
KEPT = {
    "select quarantine_id, load_id, system, stream, _key, _hash, payload, raw, reason, state from ops.quarantine": None,
    "select load_id, system, stream, window_start, window_end, run_id, actor, rows_read, rows_new from ops.load": None,
    "select * from ops.cursor": None,
    "select * from ops.gate_result": None,
    "select publish_id, state, actor, started_at, ended_at from ops.publish": None,
    "select * from ops.published": None,
    "select * from ops.mapping": None,
    "select * from lineage.event": None,
    "select * from lineage.dataset_edge": None,
    "select * from ops.answer": "select * from ops.lookup_cache",
    "select * from ops.stream_state": "select system, stream, partition, checkpoint, load_id, moved_at"
    " from ops.stream_checkpoint",
    "select * from staging.unchanged": None,
    "select * from conformed.customer_crosswalk": None,
}


def rows_of(url: str, query: str) -> list[str]:
    rows = sql.SQL("select t::text from ({}) as t order by 1").format(sql.SQL(query))
    with psycopg.connect(url) as warehouse:
        return [text for (text,) in warehouse.execute(rows)]


RENAMED = {"_given": "_winning_members", "judged": "gated"}
"""Columns of entities' and streams' tables, as of the release before and as of this one."""


def columns_of(url: str, schema: str, table: str) -> list[str]:
    with psycopg.connect(url) as warehouse:
        columns = warehouse.execute(sql.SQL("select * from {} limit 0").format(sql.Identifier(schema, table)))
        return [column.name for column in columns.description]


def renamed(columns: Sequence[str]) -> list[str]:
    return [RENAMED.get(name, name) for name in columns]


def table_of(url: str, schema: str, table: str, columns: Sequence[str] = ()) -> list[str]:
    """The rows as text: all columns, or these."""
    chosen = sql.SQL(", ").join(map(sql.Identifier, columns)) if columns else sql.SQL("*")
    rows = sql.SQL("select t::text from (select {} from {}) as t order by 1").format(
        chosen, sql.Identifier(schema, table)
    )
    with psycopg.connect(url) as warehouse:
        return [text for (text,) in warehouse.execute(rows)]


def entities_of(url: str) -> list[str]:
    with psycopg.connect(url) as warehouse:
        return [name for (name,) in warehouse.execute("select entity from ops.published order by 1")]


def tables_of_streams(url: str) -> list[str]:
    with psycopg.connect(url) as warehouse:
        found = warehouse.execute(
            r"select tablename from pg_tables where schemaname = 'staging' and tablename ~ '\w__\w'"
        )
        return sorted(name for (name,) in found)


def test_an_upgrade_keeps_every_golden_record_version_and_row(old_warehouses: Databases):
    with old_warehouses() as old, old_warehouses() as new:
        upgrade_schema(new)
        _apply_what_changes_rows(old)
        for before, after in KEPT.items():
            rows = rows_of(old, before)
            assert rows_of(new, after or before) == rows, before
        entities = entities_of(old)
        assert len(entities) == 18 and entities_of(new) == entities
        for entity in entities:
            for view in (entity, f"{entity}_version", f"{entity}_crosswalk_version"):
                rows, columns = table_of(old, "conformed", view), columns_of(old, "conformed", view)
                assert rows and table_of(new, "conformed", view, renamed(columns)) == rows, view
        tables = tables_of_streams(old)
        assert len(tables) > 50 and tables_of_streams(new) == tables
        for table in [*tables, "superseded"]:
            was = "aside" if table == "superseded" else table
            columns = columns_of(old, "staging", was)
            assert table_of(new, "staging", table, renamed(columns)) == table_of(old, "staging", was, columns), table


def _apply_what_changes_rows(url: str) -> None:
    """The migrations that change rows on purpose, alone: they have tests of their own."""
    with psycopg.connect(url) as warehouse:
        for name in (
            "0140_quarantine_as_received.sql",
            "0150_accounting_keys.sql",
            "0200_accounting_keys_in_quarantine.sql",
        ):
            text = (FOLDER / name).read_text("utf-8")
            warehouse.execute(text.replace("staging.superseded", "staging.aside").encode())


def test_the_audit_chain_still_verifies_and_tells_of_every_migration(old_warehouse: str):
    upgrade = upgrade_schema(old_warehouse)
    with psycopg.connect(old_warehouse) as warehouse:
        anchored = list(anchors(FIXTURES / "release_3365bdc_anchor.jsonl"))
        verdict = verify(entries_from_database(warehouse), anchored)
        assert verdict.ok and verdict.anchors == len(anchored) > 50
        told = [entry for entry in entries_from_database(warehouse) if entry.action.startswith("schema.")]
    assert [entry.subject for entry in told] == [
        *(f"schema:{migration.name}" for migration in numbered_migrations()),
        "schema:repeatable",
    ]
    assert list(upgrade.migrations) == [migration.name for migration in numbered_migrations()]


def test_the_anchors_of_the_old_release_keep_verifying_and_a_signed_checkpoint_follows_them(
    old_warehouse: str, tmp_path: Path
):
    upgrade_schema(old_warehouse)
    path = tmp_path / "anchor.jsonl"
    path.write_bytes((FIXTURES / "release_3365bdc_anchor.jsonl").read_bytes())
    before = len(list(anchors(path)))
    with psycopg.connect(as_role(old_warehouse, "onefold_loader"), autocommit=True) as loader:
        anchor(loader, path)
        trust = Trust(signing_key.read_verifiers(signing_key.public_file(tmp_path)))
        verdict = verify(entries_from_database(loader), anchors(path), trust=trust)
    assert verdict.ok
    assert (verdict.anchors, verdict.signed, verdict.covered) == (before + 1, 1, verdict.events)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the audit chain is anchored, apart from this installation's."""
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    return tmp_path


def source(url: str, system: str, folder: Path) -> Shop:
    """The stand-in source that the loads of the fixture came from."""
    (folder / f"{system}__customer.yaml").write_text(SUITE.replace("shop__", f"{system}__"))
    return Shop(as_role(url, "onefold_loader"), folder, SHOP.model_copy(update={"system": system}))


def current(url: str, system: str) -> dict[str, str]:
    """The name that each record has now."""
    names = sql.SQL("select _key, _payload ->> 'name' from {} where not _deleted").format(
        sql.Identifier("staging", f"{system}__customer__current")
    )
    with psycopg.connect(url) as warehouse:
        return dict(warehouse.execute(names).fetchall())


def test_a_load_that_had_landed_is_gated_and_published_and_the_stream_goes_on(old_warehouse: str, home: Path):
    upgrade_schema(old_warehouse)
    kiosk = source(old_warehouse, "kiosk", home)
    load = kiosk.run(kiosk.job([], run="manual__landed"))
    assert (load.load_id, load.state, load.rows_new, load.rows_changed) == (65, "published", 1, 1)
    assert current(old_warehouse, "kiosk")["1"] == "Newest"
    assert kiosk.asked == []  # nothing was read again
    # 2 came too late before the upgrade, 3 was unchanged: both as any load after it.
    load = kiosk.load([record("2", 0, name="Too late"), record("8", 140)], window=(0, 200))
    assert (load.rows_new, load.rows_changed) == (1, 0)
    assert current(old_warehouse, "kiosk")["2"] == "Name 2"


def test_an_extraction_that_had_crashed_goes_on_after_its_last_page(old_warehouse: str, home: Path):
    upgrade_schema(old_warehouse)
    stall = source(old_warehouse, "stall", home)
    load = stall.run(stall.job(pages([record("1", 65, name="Read twice")], [record("2", 66)]), run="manual__crashed"))
    assert (load.load_id, load.state, load.rows_read) == (68, "published", 2)
    assert [token for _, token in stall.asked] == ["1"]
    assert current(old_warehouse, "stall") == {"1": "After the crash", "2": "Name 2"}


NEWEST = 12
"""So many migrations are enough to be struck at each kind of statement."""
STRIKE = """
create function public.strike() returns event_trigger language plpgsql as $$
declare
    statement bigint := 1 + coalesce(nullif(current_setting('test.statement', true), ''), '0')::bigint;
begin
    if to_regclass('ops.schema_migration') is not null then
        if (select count(*) from ops.schema_migration) < {undisturbed} then
            return;
        end if;
    end if;
    perform set_config('test.statement', statement::text, false);
    if statement = current_setting('test.strike_at')::bigint then
        perform pg_terminate_backend(pg_backend_pid());
        perform pg_sleep(10);
    end if;
end $$;
create event trigger strike on ddl_command_end execute function public.strike();
"""


def migrations_of(url: str) -> list[str]:
    return rows_of(url, "select name from ops.schema_migration") if exists(url, "ops.schema_migration") else []


def exists(url: str, table: str) -> bool:
    with psycopg.connect(url) as warehouse:
        return warehouse.execute("select to_regclass(%s) is not null", (table,)).fetchone()[0]


def test_an_upgrade_that_is_killed_at_any_statement_and_run_again_ends_the_same(old_warehouses: Databases):
    """The server ends the session at the first statement of what is missing, the second, and so on, and at ever fewer
    of the later ones of a long migration, to which each attempt comes through all before them: in `make torture` at
    each of the first 30, and then at one of 30. In `make test` only the newest migrations are struck."""
    share, undisturbed = (30, 0) if TORTURE else (2, len(numbered_migrations()) - NEWEST)
    with old_warehouses() as whole, old_warehouses() as struck:
        upgrade_schema(whole)
        with psycopg.connect(struck, autocommit=True) as owner:
            owner.execute(STRIKE.format(undisturbed=undisturbed))
        attempts, at, before = 0, 1, migrations_of(struck)
        while True:
            try:
                upgrade_schema(make_conninfo(struck, options=f"-c test.strike_at={at}"))
                break
            except Retriable:
                attempts += 1
                count_kill("schema upgrade", "session")
            after = migrations_of(struck)
            assert after == migrations_of(whole)[: len(after)]
            at, before = (1, after) if after != before else (at + max(1, at // share), before)
        assert attempts > 2 * (len(migrations_of(whole)) - undisturbed)
        with psycopg.connect(struck, autocommit=True) as owner:
            owner.execute("drop event trigger strike; drop function public.strike")
            assert verify(entries_from_database(owner)).ok
        assert schema_of(struck) == schema_of(whole)


def test_a_second_upgrade_does_nothing(old_warehouse: str):
    upgrade_schema(old_warehouse)
    with psycopg.connect(old_warehouse) as warehouse:
        before = warehouse.execute("select max(seq), pg_current_wal_insert_lsn() from audit.event").fetchone()
    assert str(upgrade_schema(old_warehouse)) == "warehouse schema is of this version"
    with psycopg.connect(old_warehouse) as warehouse:
        assert warehouse.execute("select max(seq) from audit.event").fetchone() == before[:1]


def test_two_upgrades_at_once_are_one(old_warehouse: str):
    with ThreadPoolExecutor(2) as pool:
        upgrades = list(pool.map(upgrade_schema, [old_warehouse] * 2))
    assert sorted(len(upgrade.migrations) for upgrade in upgrades) == [0, len(numbered_migrations())]


def test_the_release_before_refuses_the_upgraded_schema(old_warehouse: str):
    """It accepts one comment of schema ops only (install.py of commit 3365bdc)."""
    upgrade_schema(old_warehouse)
    with psycopg.connect(old_warehouse) as warehouse:
        comment = warehouse.execute("select obj_description('ops'::regnamespace)").fetchone()[0]
    assert comment != "onefold schema 2"
