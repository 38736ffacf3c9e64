"""Change data capture beside Debezium's engine: the same changes of a PostgreSQL's log, in turn.

Ours are read, landed, gated and published. Debezium's engine is measured twice, from its first event to its last, so
without the start of its Java machine: with a handler that writes the events as lines of a file, and with the simplest
one that keeps them in a database, which copies each batch into a table; neither merges or checks anything.

dlt's source pg_replication is in no registry of packages (`dlt init` copies it from its repository), so it is not here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from benchmarks.measure import Warehouse, medians, seconds
from benchmarks.table import Row
from onefold.catalog.system import System
from onefold.http.endpoint import Endpoint
from onefold.load import steps
from onefold.load.extraction import confirmation, from_system
from onefold.load.job import Job
from onefold.load.ledger import Run
from onefold.platform.postgres import Postgres, free_port
from onefold.platform.postgres_account import delete_data
from tests.connectors.debezium.recorded import FORMS
from tests.peers.debezium_engine import Engine, fetched

SUITES = Path(__file__).parent / "suites"
MOST_CHANGES = 200_000
ROWS = 20_000
"""Of the table before."""
EACH = 200
"""Changes of a transaction."""
SYSTEM = System.model_validate(
    {
        "system": "bench_log",
        "title": "Log",
        "protocol": "cdc",
        "connection": "bench",
        "schedule": "0 * * * *",
        "limits": {"rate": ["100000/s"]},
        "streams": {
            "order": {
                "title": "Orders",
                "request": {"table": "orders"},
                "primary_key": ["id"],
                "deletes": {"max_share": 1},
                "fields": {
                    "id": "integer",
                    "customer": "text",
                    "note": {"type": "text", "required": False},
                    "amount": "numeric",
                    "placed_at": "timestamp",
                    "paid": "boolean",
                },
            }
        },
    }
)
_ROWS = """
    select n, 'Customer ' || n % 977, repeat('note ', 20), n * 1.01, now(), false from generate_series({low}, {high}) n
"""
_TABLE = (
    """create table orders (id bigint primary key, customer text not null, note text, amount numeric(12, 2) not null,
       placed_at timestamptz not null, paid boolean not null)""",
    "create table finish (id int primary key)",
    "insert into orders " + _ROWS.format(low=1, high=ROWS),
)
_CHANGES = (
    "update orders set amount = amount + 1, paid = not paid where id between {low} and {high}",
    "update orders set note = 'changed ' || {low} where id between {low} and {high}",
    "delete from orders where id between {low} and {high}",
    "insert into orders " + _ROWS + " on conflict do nothing",
)


def measure(warehouse: Warehouse, rows: int, rounds: int) -> Iterator[Row]:
    """Changes a second: through publish, against Debezium's engine."""
    changes = min(rows, MOST_CHANGES)
    with tempfile.TemporaryDirectory(prefix="onefold-cdc-") as folder, _source(Path(folder)) as source:
        engine = fetched(Path(folder) / "debezium")
        figures = medians(_round(warehouse, source, engine, Path(folder), changes, number) for number in range(rounds))
    ours = figures["ours"]
    for name, what in (("file", "its events to a file"), ("table", "its events into a table, as they are")):
        detail = f"{changes:,} changes: {ours:,.0f}/s through publish against {figures[name]:,.0f}/s, {what}"
        yield Row(f"cdc through publish / Debezium's engine to a {name}", ours / figures[name], 3.0, detail)


@contextmanager
def _source(folder: Path) -> Iterator[Postgres]:
    server = Postgres(folder / "source", free_port(), {"wal_level": "logical", "shared_buffers": "128MB"})
    server.start()
    try:
        yield server
    finally:
        server.stop()
        delete_data(server.home)


def _round(
    warehouse: Warehouse, source: Postgres, engine: Engine, folder: Path, changes: int, number: int
) -> dict[str, float]:
    database = f"bench_{number}"
    with psycopg.connect(source.url(), autocommit=True) as admin:
        admin.execute(f"create database {database}")
    with psycopg.connect(source.url(database), autocommit=True) as owner, warehouse.fresh() as url:
        for statement in _TABLE:
            owner.execute(statement)
        steps.run(_job(source, database, url, "first"))
        owner.execute("create publication debezium for table orders, finish")
        for slot in ("debezium_file", "debezium_table"):
            owner.execute("select pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,))
        made = _change(owner, changes)
        owner.execute("insert into finish values (1)")
        job = _job(source, database, url, "changes")
        figures = {"ours": made / seconds(lambda: steps.run(job))}
        _require_equal(owner, url)
        kept = warehouse.server.url(urlsplit(url).path[1:])  # a table of its own
        for name, into in (("file", None), ("table", kept)):
            settings = {"slot.name": f"debezium_{name}", "snapshot.mode": "no_data", "publication.name": "debezium"}
            events = folder / f"{name}.ndjson"
            count, took = engine.record(source, database, events, lambda: None, into=into, **FORMS["plain"], **settings)
            if count < made:
                raise AssertionError(f"Debezium's engine gave {count:,} events of {made:,} changes")
            figures[name] = made / took
            events.unlink(missing_ok=True)
        owner.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots")
    return figures


def _change(owner: psycopg.Connection, changes: int) -> int:
    """Make so many changes, or a few more, in transactions of some hundreds of rows; returns their number."""
    done = step = 0
    while done < changes:
        low = 1 + step * 7919 % (ROWS - EACH)
        done += owner.execute(_CHANGES[step % len(_CHANGES)].format(low=low, high=low + EACH - 1)).rowcount
        step += 1
    return done


def _require_equal(owner: psycopg.Connection, url: str) -> None:
    """See that all of it is published."""
    theirs = owner.execute("select count(*), sum(id), sum(amount) from orders").fetchone()
    with psycopg.connect(url) as loader:
        ours = loader.execute(
            "select count(*), sum(_key::bigint), sum((_payload ->> 'amount')::numeric)"
            " from staging.bench_log__order__current where not _deleted"
        ).fetchone()
    if ours != theirs:
        raise AssertionError(f"the source has {theirs}, what is published is {ours}")


def _job(source: Postgres, database: str, url: str, name: str) -> Job:
    login = psycopg.conninfo.conninfo_to_dict(source.url(database))
    endpoint = Endpoint(f"postgres://127.0.0.1:{source.port}/{database}", str(login["user"]), str(login["password"]))
    return Job(
        system=SYSTEM,
        stream_name="order",
        run=Run("sync__bench_log", f"manual__{name}", "os:bench"),
        source=from_system(SYSTEM, endpoint, url, {"bench_log": SYSTEM}, {}),
        confirm=confirmation(SYSTEM, endpoint, url),
        source_url=endpoint.url,
        warehouse_url=url,
        entities={},
        run_is_over=lambda dag_id, run_id: True,
        suites=SUITES,
    )
