"""No file of the cluster holds what was erased: tables, indexes, statistics, write-ahead log, dump, home."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from onefold.load import gate_step
from onefold.platform.postgres import Postgres, free_port
from onefold.platform.postgres_account import Location, delete_data
from onefold.warehouse.install import install
from tests.erasure.office import EMAIL, OTHER, PESEL, Office, adam, bytes_on_disk, event, zofia
from tests.roles import PASSWORDS, as_role

NEEDLES = (EMAIL, PESEL, "Brzezińska", "601 222 333")


def test_no_byte_of_the_person_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(gate_step, "evaluate_suite", lambda *_: [])
    with small_cluster(tmp_path / "cluster") as (cluster, location):
        office = Office(as_role(cluster.url("warehouse"), "onefold_loader"), tmp_path / "home")
        office.load("hr.employee", zofia(), adam())
        office.load("hr.employee", zofia(department="Board"), adam())
        guests = [("Zofia Brzezińska", EMAIL), ("Adam Nowy", OTHER)]
        office.load(
            "microsoft365.calendar_event", event("1", 1, subject="Plans", guests=guests, by=("Adam Nowy", OTHER))
        )
        with psycopg.connect(cluster.url("warehouse"), autocommit=True) as owner:
            owner.execute("analyze")
            owner.execute("checkpoint")
        before = bytes_on_disk(location.data, NEEDLES)
        assert any("/pg_wal/" in path for path in before)
        assert any("/base/" in path for path in before)
        office.erase()
        assert bytes_on_disk(location.data, NEEDLES) == []
        assert bytes_on_disk(tmp_path / "home", NEEDLES) == []
        assert bytes_on_disk(cluster.home / "logs", NEEDLES) == []
        command = [location.binaries / "pg_dump", cluster.url("warehouse")]
        dump = subprocess.run(command, check=True, capture_output=True).stdout.decode()
        assert OTHER in dump
        assert [needle for needle in NEEDLES if needle in dump] == []


@contextmanager
def small_cluster(home: Path) -> Iterator[tuple[Postgres, Location]]:
    """A cluster of its own, with nobody in it but the test's two people."""
    cluster = Postgres(home, free_port(), {"autovacuum": "off", "fsync": "off"})
    location = cluster.start()
    try:
        install(cluster.url("postgres"), PASSWORDS)
        yield cluster, location
    finally:
        cluster.stop()
        delete_data(cluster.home)
