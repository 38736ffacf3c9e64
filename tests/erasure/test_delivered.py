"""An erasure reaches the warehouses that were delivered to."""

from __future__ import annotations

from pathlib import Path

import duckdb

from onefold.catalog.delivery_target import DeliveryTarget
from onefold.deliver.audit_and_lineage import record_delivery
from onefold.deliver.duckdb_file import DuckDbFile
from onefold.deliver.due import undelivered_erasures
from onefold.deliver.ledger import DeliveryReport
from onefold.deliver.parquet_folder import ParquetFolder
from onefold.deliver.postgres import PostgresTarget
from onefold.deliver.run import deliver
from onefold.deliver.target import Target
from onefold.load.ledger import Run
from onefold.load.staging import ensure_staging
from onefold.platform.postgres import Postgres
from onefold.warehouse.connection import connect
from onefold.warehouse.tables import StagingTable
from tests.databases import copy_database, drop_database
from tests.erasure.office import EMAIL, PESEL, Office, adam, traces, zofia
from tests.erasure.test_golden_records import conform

SAID = {"title": "There", "entities": ["employee"], "personal": ["employee"]}
NAMES = "select last_name from conformed_personal.employee order by last_name nulls first"


def employed(office: Office) -> None:
    """Both people are published; the stream of pay, which the entity reads too, has nothing."""
    with connect(office.url, autocommit=True) as loader:
        ensure_staging(loader, StagingTable("hr", "pay"))
    office.load("hr.employee", zofia(), adam())
    conform(office, "one")


def delivered(office: Office, target: Target, said: DeliveryTarget) -> DeliveryReport:
    run = Run("deliver__there", "manual__1", "os:tester")
    return deliver(office.url, target, said, office.catalog.entities, run, recorded=record_delivery)


def test_an_erasure_reaches_a_duckdb_file_and_no_byte_of_it_keeps_the_person(office: Office, tmp_path: Path) -> None:
    target = DuckDbFile("there", tmp_path / "there.duckdb")
    said = DeliveryTarget.model_validate({"warehouse": "there", "kind": "duckdb", "path": "there.duckdb", **SAID})
    employed(office)
    delivered(office, target, said)
    with duckdb.connect(str(target.path), read_only=True) as connection:
        assert "Brzezińska" in str(connection.execute(NAMES).fetchall())
    with connect(office.url) as connection:
        assert undelivered_erasures(connection) == []
    office.erase()
    with connect(office.url) as connection:
        assert undelivered_erasures(connection) == ["there"]
    assert delivered(office, target, said).state == "delivered"
    with connect(office.url) as connection:
        assert undelivered_erasures(connection) == []
    content = b"".join(path.read_bytes() for path in tmp_path.glob("there.duckdb*"))
    assert not [needle for needle in (EMAIL, PESEL, "Brzezińska") if needle.encode() in content]
    with duckdb.connect(str(target.path), read_only=True) as connection:
        assert connection.execute(NAMES).fetchall() == [(None,), ("Nowy",)]
    assert delivered(office, target, said).state == "unchanged"


def test_an_erasure_reaches_every_version_in_another_postgresql(office: Office, postgres: Postgres) -> None:
    name = copy_database(postgres, "template1", "there")
    target = PostgresTarget("there", postgres.url(name), "postgres://there")
    said = DeliveryTarget.model_validate({"warehouse": "there", "kind": "postgres", "connection": "there", **SAID})
    employed(office)
    delivered(office, target, said)
    office.load("hr.employee", zofia(department="Board"), adam())
    conform(office, "one")
    delivered(office, target, said)
    assert traces(postgres.url(name)) != []
    office.erase()
    delivered(office, target, said)
    assert traces(postgres.url(name)) == []
    drop_database(postgres, name)


def test_an_erasure_reaches_every_parquet_file(office: Office, tmp_path: Path) -> None:
    target = ParquetFolder("there", tmp_path / "lake")
    said = DeliveryTarget.model_validate({"warehouse": "there", "kind": "parquet", "path": "lake", **SAID})
    employed(office)
    delivered(office, target, said)
    office.erase()
    delivered(office, target, said)
    with duckdb.connect() as connection:
        for path in target.folder.glob("*/*.parquet"):
            rows = str(connection.read_parquet(str(path)).fetchall())
            assert not [needle for needle in (EMAIL, PESEL, "Brzezińska") if needle in rows], path
