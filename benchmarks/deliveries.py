"""Delivering: a first delivery of golden records, one of the one percent that then changed, and one of nothing new."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from benchmarks.measure import Warehouse, medians, seconds
from benchmarks.table import Row
from onefold.audit import actor
from onefold.catalog.delivery_target import DeliveryTarget
from onefold.catalog.reader import read_catalog
from onefold.conform.golden_versions import create_indexes
from onefold.deliver.audit_and_lineage import record_delivery
from onefold.deliver.duckdb_file import DuckDbFile
from onefold.deliver.ledger import DeliveryReport
from onefold.deliver.postgres import PostgresTarget
from onefold.deliver.run import deliver
from onefold.deliver.target import Target
from onefold.load.ledger import Run

SAID = DeliveryTarget.model_validate(
    {"warehouse": "there", "title": "There", "kind": "duckdb", "path": "x", "entities": ["customer"], "marts": "none"}
)
CHANGED = 100
"""One golden record in so many changes."""
_PUBLISH = """
with made as (
    insert into ops.publish (actor, mappings, state, ended_at) values ('os:bench', '{}', 'published', now())
    returning publish_id
)
insert into ops.published (entity, publish_id, actor) select 'customer', publish_id, 'os:bench' from made
on conflict (entity) do update set publish_id = excluded.publish_id returning publish_id
"""
_END = """
update conformed.customer_version set _ended_publish_id = {0}
where krs::int % {1} = 0 and _ended_publish_id is null
"""
_INSERT = """
insert into conformed.customer_version (customer_id, source_of_truth, _systems, _records, _members, _loads,
    _mapping_versions, _winning_members, _hash, _publish_id, legal_name, tax_id_pl, krs, city, postal_code, country,
    status, credit_limit, credit_limit_currency, last_changed)
select md5(n::text)::uuid, 'erp', '{{erp,crm}}', 2, '{{}}', '{{}}', '{{}}', '{{}}', md5(n::text), {0},
    'Przedsiębiorstwo „Żółw” ' || n || ' sp. z o.o.', lpad(n::text, 10, '0'), lpad(n::text, 10, '0'), 'Łódź', '90-001',
    'PL', 'active', n / 100.0 + {0}, 'PLN', now()
from generate_series(1, {1}) as n where n % {2} = 0
"""


def measure(warehouse: Warehouse, rows: int, rounds: int) -> Iterator[Row]:
    """To a DuckDB file, and to another PostgreSQL on the same server."""
    with tempfile.TemporaryDirectory() as folder:
        files = (DuckDbFile("there", Path(folder) / f"{number}.duckdb") for number in range(rounds + 1))
        yield _row("DuckDB", rows, medians(_round(warehouse, rows, next(files)) for _ in range(min(rounds, 3))))
    figures = []
    for _ in range(min(rounds, 3)):
        with _empty_database(warehouse) as other:
            figures.append(_round(warehouse, rows, PostgresTarget("there", other, "postgres://there")))
    yield _row("PostgreSQL", rows, medians(iter(figures)))


def _row(kind: str, rows: int, figures: dict[str, float]) -> Row:
    detail = (
        f"{rows:,} customers: first {figures['first']:.1f} s; 1 % changed {figures['changed']:.2f} s, "
        f"{figures['written']:,.0f} rows written; nothing new {figures['nothing']:.2f} s"
    )
    return Row(f"delivery of 1 % to {kind} / first", figures["ratio"], 0.05, detail, True)


def _round(warehouse: Warehouse, rows: int, target: Target) -> dict[str, float]:
    with warehouse.fresh() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            publish(connection, rows, 1)
            create_indexes(connection, read_catalog().entities["customer"])
            connection.execute("vacuum conformed.customer_version")
        figures = {"first": seconds(lambda: _deliver(url, target))}
        with psycopg.connect(url, autocommit=True) as connection:
            publish(connection, rows, CHANGED)
        reports: list[DeliveryReport] = []
        figures["changed"] = seconds(lambda: reports.append(_deliver(url, target)))
        figures["written"] = float(reports[0].written)
        figures["ratio"] = figures["changed"] / figures["first"]
        figures["nothing"] = seconds(lambda: _deliver(url, target))
    return figures


def publish(connection: psycopg.Connection, rows: int, every: int) -> None:
    """Publish a new version of each customer whose number is a multiple of `every`."""
    with connection.transaction():
        (publish,) = connection.execute(_PUBLISH).fetchone()
        connection.execute(_END.format(publish, every))
        connection.execute(_INSERT.format(publish, rows, every))


def _deliver(url: str, target: Target) -> DeliveryReport:
    run = Run("deliver__there", "measured", actor("engineer", "deliver__there", "measured"))
    return deliver(url, target, SAID, read_catalog().entities, run, recorded=record_delivery)


@contextmanager
def _empty_database(warehouse: Warehouse) -> Iterator[str]:
    """The superuser's URL of a database with nothing in it, on the same server."""
    with psycopg.connect(warehouse.server.url(), autocommit=True) as connection:
        connection.execute("create database there template template0")
        yield warehouse.server.url("there")
        connection.execute("drop database there with (force)")
