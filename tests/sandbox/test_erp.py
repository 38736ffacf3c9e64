"""The Polish ERP is a database: what time does to the world shows in its tables, and only there where it did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from onefold.platform.postgres import Postgres
from onefold.platform.sandbox_database import create_databases, reader
from sandbox.erp import database as erp
from sandbox.stand_ins import connections
from sandbox.world import World
from sandbox.world.foreign import firms

OWN = "erp_of_a_test"


@dataclass
class Ours:
    """The ERP's database, and the world that it shows."""

    url: str
    read_url: str
    world: World

    def query(self, text: str) -> list[tuple]:
        with psycopg.connect(self.read_url) as connection:
            return connection.execute(text).fetchall()

    def tables(self) -> dict[str, list[tuple]]:
        """The rows as text: some hold what Python has no value for."""
        return {s.table.name: self.query(f"select t::text from {s.table.name} t order by 1") for s in erp.SHEETS}  # noqa: S608


@pytest.fixture
def ours(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ours]:
    roles = (OWN, reader(OWN))
    for _ in range(2):  # as at every start
        create_databases(postgres.url(), dict.fromkeys(roles, "test-only"), (OWN,))
    url, read_url = (f"postgresql://{role}:test-only@127.0.0.1:{postgres.port}/{OWN}" for role in roles)
    monkeypatch.setenv("SANDBOX_ERP_URL", url)
    world = World(60, 7, tmp_path / "journal.jsonl", erp.STAND_IN.books)
    erp.refresh(world)
    yield Ours(url, read_url, world)
    with psycopg.connect(postgres.url(), autocommit=True) as server:
        server.execute(f"drop database {OWN} with (force)")


def test_what_was_brought_up_step_by_step_is_what_a_fresh_filling_shows(ours: Ours, tmp_path: Path) -> None:
    for _ in range(3):
        ours.world.advance(changes=6, deletions=3, new=4)
        erp.refresh(ours.world)
    step_by_step = ours.tables()
    with psycopg.connect(ours.url, autocommit=True) as owner:
        owner.execute("delete from piaskownica")
    erp.refresh(World(60, 7, tmp_path / "journal.jsonl", erp.STAND_IN.books))
    assert ours.tables() == step_by_step
    assert len(step_by_step["klienci"]) == 60 + 12 + len(firms(7, 60))


def test_a_row_version_grows_with_every_write_and_belongs_to_one_row(ours: Ours) -> None:
    before = dict(ours.query("select id_towaru, wersja from towary"))
    assert sorted(before.values()) == list(range(1, 81))
    ours.world.advance(changes=5, new=2)
    erp.refresh(ours.world)
    after = dict(ours.query("select id_towaru, wersja from towary"))
    assert sorted(version for version in after.values() if version not in before.values()) == list(range(81, 88))


def test_what_time_has_not_touched_is_not_written_again(ours: Ours) -> None:
    where = dict(ours.query("select id_faktury, ctid::text from faktury"))
    ours.world.advance(changes=5, deletions=2)
    erp.refresh(ours.world)
    erp.refresh(ours.world)
    assert dict(ours.query("select id_faktury, ctid::text from faktury")) == where
    ours.world.reset()
    erp.refresh(ours.world)
    assert ours.query("select krok from piaskownica") == [(0,)]


def test_an_orders_total_is_that_of_its_lines_and_an_invoices_too(ours: Ours) -> None:
    ours.world.advance(changes=10, new=3)
    erp.refresh(ours.world)
    assert (
        ours.query(
            "select id_zamowienia from zamowienia z join zamowienia_pozycje p using (id_zamowienia)"
            " where not p.usuniety group by 1, z.kwota_netto having sum(p.wartosc_netto) <> z.kwota_netto"
        )
        == []
    )
    assert (
        ours.query(
            "select id_faktury from faktury f join faktury_pozycje p using (id_faktury)"
            " group by 1, f.kwota_brutto having sum(p.wartosc_netto + p.wartosc_vat) <> f.kwota_brutto"
        )
        == []
    )
    assert ours.query("select count(*) from zamowienia where id_klienta not in (select id_klienta from klienci)") == [
        (0,)
    ]


def test_the_clock_is_warsaws(ours: Ours) -> None:
    now = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert erp.local(now) == datetime(2026, 7, 1, 14)


def test_the_reader_reads_and_does_not_write(ours: Ours) -> None:
    with psycopg.connect(ours.read_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("delete from klienci")
    found = connections("http://127.0.0.1:1", {"erp": ours.read_url})["erp"]
    assert (found["conn_type"], found["schema"], found["login"]) == ("postgres", OWN, reader(OWN))
    assert "erp" not in connections("http://127.0.0.1:1")


def test_a_sale_changes_one_stock_level_and_another_world_leaves_the_table_whose_log_is_read(ours: Ours) -> None:
    levels = "select id_towaru || ' ' || magazyn, ilosc from stany"
    before, table = dict(ours.query(levels)), ours.query("select 'stany'::regclass::oid")
    happened = erp.sell(ours.world)
    after = dict(ours.query(levels))
    ((changed, level),) = after.items() - before.items()
    assert level == before[changed] - 1 and json.loads(happened.key) == changed.split(" ")
    with psycopg.connect(ours.url, autocommit=True) as owner:
        owner.execute("delete from piaskownica")
    erp.refresh(ours.world)
    assert (dict(ours.query(levels)), ours.query("select 'stany'::regclass::oid")) == (after, table)
    assert ours.query("select pubname, tablename from pg_publication_tables") == [("onefold_erp_log_stock", "stany")]
