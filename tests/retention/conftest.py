"""A warehouse in which time passes, and a catalogue that keeps nothing for longer than a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.catalog.privacy import DataProtection, Retention, StreamPrivacy
from onefold.catalog.reader import Catalog
from onefold.catalog.system import System
from onefold.retention.purge import Kept
from onefold.retention.run import RetentionReport, execute_retention, plan_retention
from onefold.warehouse.connection import connect
from tests.load.shop import SUITE, Shop
from tests.rollback.test_twin import suites, world

__all__ = ["suites", "world"]


def said(**periods: str) -> DataProtection:
    """Everything is kept for a day, but what is given otherwise."""
    a_day = dict.fromkeys(("history", "deleted", "quarantine", "waiting"), "P1D") | periods
    return DataProtection.model_validate(
        {
            "controller": {"name": "The shop's company", "contact": "Its street 1 in its town"},
            "retention": dict.fromkeys(("organisation", "contact", "identity", "sensitive"), a_day),
            "unclassed": a_day,
            "technical": dict.fromkeys(("lineage", "ledger", "landing", "airflow", "task_logs", "server_logs"), "P1D"),
            "recipients": ["Analysts"],
            "safeguards": ["Roles of the database"],
        }
    )


def by_class(system: System, **periods: str) -> System:
    """The system, of whose streams replaced versions and closed rows are kept for years, and the values of these
    classes in them for less."""
    said_of = {name: {"history": period} for name, period in periods.items()}
    privacy = StreamPrivacy(
        retention=Retention.model_validate(
            {**dict.fromkeys(("history", "quarantine", "waiting"), "P9Y"), "by_class": said_of}
        )
    )
    streams = {name: stream.model_copy(update={"privacy": privacy}) for name, stream in system.streams.items()}
    return system.model_copy(update={"streams": streams})


SAID = said()
TIMES = {
    "ops.load": ("started_at", "ended_at", "rollback_until"),
    "ops.quarantine": ("quarantined_at", "closed_at"),
    "ops.publish": ("started_at", "ended_at"),
    "ops.gate_result": ("at",),
    "ops.contract_change": ("at",),
    "ops.alert": ("resolved_at",),
    "lineage.event": ("event_time",),
}


_TAKE_IN = """
with taken_in as (
    insert into ops.publish (state, actor, mappings, ended_at) values ('published', 'os:tester', '{}', now())
    returning publish_id)
insert into ops.publish_load (publish_id, load_id) select publish_id, load_id from taken_in, ops.load
where state = 'published' and rows_new + rows_changed + rows_deleted > 0
    and load_id = any (coalesce(%(loads)s, array[load_id]))
"""


@dataclass(frozen=True)
class Warehouse:
    """A warehouse of a test: time passes in it, and retention runs."""

    superuser_url: str
    url: str
    said: DataProtection = SAID

    def time_passes(self, days: int = 100, loads: list[int] | None = None, *, conformed: bool = False) -> None:
        """All that has happened so far was so many days earlier, of loads those that are given; conform has taken them
        in, by now where it has not (`conformed`)."""
        with psycopg.connect(self.superuser_url, autocommit=True) as owner:
            if not conformed:
                owner.execute(_TAKE_IN, {"loads": loads})
            for table, columns in TIMES.items():
                moved = sql.SQL(", ").join(
                    sql.SQL("{0} = {0} - {1}").format(sql.Identifier(column), timedelta(days=days))
                    for column in columns
                )
                which = (
                    sql.SQL("load_id = any ({})").format(loads) if loads and table == "ops.load" else sql.SQL("true")
                )
                owner.execute(
                    sql.SQL("update {} set {} where {}").format(sql.Identifier(*table.split(".")), moved, which)
                )

    def plan(self, *systems: System, entities: dict[str, Entity] | None = None) -> list[Kept]:
        with connect(self.url, autocommit=True) as connection:
            return plan_retention(connection, self._catalog(systems, entities), self.said)

    def retain(self, *systems: System, entities: dict[str, Entity] | None = None) -> RetentionReport:
        return execute_retention(self.url, self._catalog(systems, entities), self.said, "os:tester")

    def query(self, text: str) -> list[tuple]:
        with psycopg.connect(self.superuser_url) as owner:
            return owner.execute(text).fetchall()

    def execute(self, text: str, *values: object) -> None:
        with psycopg.connect(self.superuser_url, autocommit=True) as owner:
            owner.execute(text, values or None)

    @staticmethod
    def _catalog(systems: tuple[System, ...], entities: dict[str, Entity] | None) -> Catalog:
        return Catalog({system.system: system for system in systems}, entities or {})


@pytest.fixture
def shop(loader_url: str, suites: Path) -> Shop:
    """A source under the test's control, whose records a stand-in of Great Expectations judges: which rows are refused
    is in question here, not who finds them."""
    (suites / "shop__customer.yaml").write_text(SUITE)
    return Shop(loader_url, suites)


@pytest.fixture
def warehouse(warehouse_url: str, loader_url: str) -> Warehouse:
    return Warehouse(warehouse_url, loader_url)
