"""Writing back: golden records that are planned and written into an ERP on a SQL database, and the memory it takes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import psycopg
from psycopg.conninfo import conninfo_to_dict

from benchmarks.deliveries import publish
from benchmarks.measure import Warehouse, medians, peak_memory, seconds
from benchmarks.table import Row
from onefold.audit import actor
from onefold.catalog.reader import read_catalog
from onefold.catalog.target import Target
from onefold.http.endpoint import Endpoint
from onefold.load.ledger import Run
from onefold.write_back.place import opener
from onefold.write_back.run import WriteBack

FEW, MANY = 1_000, 10_000
_TABLE = """
create table klienci (id_klienta bigint generated always as identity primary key, onefold_ref text unique, nazwa text,
    nip text, kod_pocztowy text, miejscowosc text, kraj text, waluta text)
"""
_ROWS = "select count(*) from klienci"
_TARGET = Target.model_validate(
    {
        "target": "there",
        "title": "There",
        "system": "erp",
        "protocol": "sql",
        "limits": {"rate": ["1000000/s"], "timeout": "PT30S", "longest_run": "PT1M"},
        "approval": "never",
        "objects": {
            "klient": {
                "entity": "customer",
                "object": "klienci",
                "stream": "klient",
                "key": "id_klienta",
                "reference": "onefold_ref",
                "match": {"tax_id_pl": "nip"},
                "characters": {"encoding": "cp1250"},
                "fields": {
                    "nazwa": {"attribute": "legal_name", "required": True},
                    "nip": {"attribute": "tax_id_pl"},
                    "kod_pocztowy": {"attribute": "postal_code"},
                    "miejscowosc": {"attribute": "city"},
                    "kraj": {"attribute": "country"},
                },
                "constants": {"waluta": "PLN"},
            }
        },
    }
)


def measure(warehouse: Warehouse, rows: int, rounds: int) -> Iterator[Row]:
    """FEW records and MANY, each in a process of its own; not as many as `rows`, which takes an hour."""
    few = _written(warehouse, FEW)
    many = medians(_written(warehouse, MANY) for _ in range(min(rounds, 3)))
    detail = (
        f"{MANY:,} records: planned {MANY / many['plan']:,.0f}/s, written and read back {MANY / many['write']:,.0f}/s"
    )
    growth = (many["plan"] + many["write"]) / (few["plan"] + few["write"])
    yield Row("growth of a write-back with ten times the records", growth, 10.5, detail, True)
    memory = f"{FEW:,} records {few['memory']:.0f} MB, {MANY:,} records {many['memory']:.0f} MB"
    yield Row("peak memory of a write-back, many records / few", many["memory"] / few["memory"], 1.1, memory, True)


def _written(warehouse: Warehouse, rows: int) -> dict[str, float]:
    with warehouse.fresh() as url, _erp(warehouse) as erp:
        with psycopg.connect(url, autocommit=True) as connection:
            publish(connection, rows, 1)
        command = [sys.executable, "-m", "benchmarks.write_back", url, erp]
        ran = subprocess.run(command, check=True, capture_output=True, text=True)
        with psycopg.connect(erp) as connection:
            assert connection.execute(_ROWS).fetchone() == (rows,)
    plan, write, memory = map(float, ran.stdout.split())
    return {"plan": plan, "write": write, "memory": memory}


@contextmanager
def _erp(warehouse: Warehouse) -> Iterator[str]:
    with psycopg.connect(warehouse.server.url(), autocommit=True) as connection:
        connection.execute("create database erp template template0")
        with psycopg.connect(warehouse.server.url("erp")) as owner:
            owner.execute(_TABLE)
        yield warehouse.server.url("erp")
        connection.execute("drop database erp with (force)")


def _write(url: str, erp: str) -> None:
    """Intend, plan and write everything; then the seconds of the latter two, and the peak of this process in MB."""
    parts, catalog = conninfo_to_dict(erp), read_catalog()
    where = f"postgres://{parts['host']}:{parts['port']}/{parts['dbname']}"
    endpoint = Endpoint(where, str(parts["user"]), str(parts.get("password", "")))
    system = catalog.systems["erp"]
    back = WriteBack(
        url, endpoint.url, _TARGET, system, catalog.entities, opener(_TARGET, system, endpoint, lambda attempt: None)
    )
    run = Run("write_back__there", "measured", actor("engineer", "write_back__there", "measured"))
    back.intend_all()
    plans: list[int] = []

    def plan() -> None:
        made = back.plan(run)
        assert made is not None
        plans.append(made.plan_id)

    planned = seconds(plan)
    written = seconds(partial(back.execute, plans[0], run))
    print(planned, written, peak_memory())


if __name__ == "__main__":
    _write(*sys.argv[1:])
