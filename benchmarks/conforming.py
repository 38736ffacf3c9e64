"""Conform: companies that four systems hold become golden records, against hand-written SQL for the same result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import dbt.adapters.postgres
import dbt.cli.main  # noqa: F401 - paid once by the scheduler that tasks are forked from, so not counted here
import psycopg

from benchmarks.four_systems import change, fill
from benchmarks.four_systems.by_hand import by_hand
from benchmarks.measure import Warehouse, seconds
from benchmarks.table import Row
from onefold.catalog.reader import Catalog, read_catalog
from onefold.conform import audit_and_lineage
from onefold.conform.dbt_build import DbtProject
from onefold.conform.gate import entity_gate
from onefold.conform.report import ConformReport
from onefold.conform.run import conform
from onefold.load.ledger import Run
from onefold.mapping.registry import mapping_fingerprints, sync_mapping
from onefold.settings import ROOT
from onefold.warehouse.connection import connect

_PHASES = ("build", "gate", "publish")
_DIFFERENT = """
select count(*) from (
    (table {ours} except all table {by_hand}) union all (table {by_hand} except all table {ours})
) as different"""


def measure(warehouse: Warehouse, rows: int, rounds: int) -> Iterator[Row]:
    """The first conform of companies (740,000 of a million rows) against SQL, and the one after 1 % of records changed.

    Measured once, whatever `rounds` says: it takes ten minutes, and its two sides are minutes apart from each other.
    """
    rows = rows * 74 // 100
    figures = _round(warehouse, rows)
    first, again, hand = figures["first"], figures["again"], figures["by hand"]
    detail = f"{first:.1f} s ({_phases(figures, 'first')}); by hand {hand:.1f} s"
    yield Row(f"conform {rows:,} companies in 4 systems / SQL by hand", first / hand, 3.0, detail, smaller=True)
    detail = f"{again:.1f} s ({_phases(figures, 'again')})"
    yield Row("conform, 1 % changed / the first", again / first, 0.2, detail, smaller=True)


def _round(warehouse: Warehouse, rows: int) -> Mapping[str, float]:
    catalog = read_catalog()
    with warehouse.fresh() as url, TemporaryDirectory(prefix="onefold-dbt-") as target:
        with connect(url, autocommit=True) as connection:
            fill(url, connection, rows)
            figures = {"by hand": seconds(lambda: _by_hand(url, catalog))}
            figures |= _conform(url, catalog, Path(target), "first")
            _compare(connection, rows)
            connection.execute(
                "drop table conformed.hand, conformed.hand_crosswalk, mapped.hand_krs, mapped.hand_regon,"
                " mapped.hand_salesforce, mapped.hand_sap, mapped.hand_of_salesforce, mapped.hand_of_sap"
            )
            change(connection)
        return figures | _conform(url, catalog, Path(target), "again")


def _by_hand(url: str, catalog: Catalog) -> None:
    """The four tables that are mapped first two at a time: PostgreSQL does the transforms of one on one core only."""
    statements = by_hand(catalog)

    def execute(statement: str) -> None:
        with connect(url, autocommit=True) as connection:
            connection.execute(statement)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(execute, statements[:4]))
    for statement in statements[4:]:
        execute(statement)


def _conform(url: str, catalog: Catalog, target: Path, name: str) -> dict[str, float]:
    """As the DAG calls it, with the one entity that is made by hand as well."""
    entities = [catalog.entities["customer"]]
    mapped = {"customer": catalog.entities["customer"]}
    done: list[ConformReport] = []

    def run() -> None:
        report = conform(
            url,
            "os:bench",
            entity_gate(url),
            entities,
            DbtProject(ROOT / "dbt_project", target),
            mappings=mapping_fingerprints(mapped, catalog.systems),
            on_publish=[
                lambda connection, _: sync_mapping(connection, mapped, catalog.systems),
                audit_and_lineage.record_lineage(Run("conform", name, "os:bench"), entities),
            ],
        )
        done.append(report)

    return {name: seconds(run), **{f"{name} {phase}": done[0].seconds[phase] for phase in _PHASES}}


def _compare(connection: psycopg.Connection, companies: int) -> None:
    """Both ways must have given the same rows, ids and origins too, or the times say nothing."""
    for ours, by_hand_table in (("customer", "hand"), ("customer_crosswalk", "hand_crosswalk")):
        query = _DIFFERENT.format(ours=f"conformed.{ours}", by_hand=f"conformed.{by_hand_table}")
        if (different := connection.execute(query).fetchone()[0]) != 0:
            raise AssertionError(f"{different} rows of conformed.{ours} differ from what SQL by hand makes")
    golden = connection.execute("select count(*) from conformed.customer").fetchone()[0]
    if golden != companies:
        raise AssertionError(f"{companies} companies became {golden} golden records")


def _phases(figures: Mapping[str, float], name: str) -> str:
    return ", ".join(f"{phase} {figures[f'{name} {phase}']:.1f}" for phase in _PHASES)
