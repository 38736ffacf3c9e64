"""A PostgreSQL to torture, with warehouses that are copies of one another, and two loads to disturb."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from onefold.connectors.lookup import LookupResult
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.load.job import Job
from onefold.load.window import WindowRequest
from onefold.platform.postgres import Postgres
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database
from tests.load.shop import MORNING, SUITE, Shop, at, pages, record
from tests.roles import as_role
from tests.torture.loader import STEPS
from tests.torture.observing import landing, observe

NIGHTLY, HOURLY = "scheduled__nightly", "scheduled__hourly"


def _given() -> dict[str, list[Page]]:
    """A first load and the one an hour later: several pages, a page twice, a late reading, ties, rows that the gate
    refuses, rows without a key, a record that PostgreSQL cannot hold, deletions, and answers."""
    rows = [record(f"c{n:03}", n % 7, credit=n) for n in range(120)]
    torn = Record("torn", at(2), False, b'{"id":"torn","name":"\\u0000","credit":1,"changed":"2026-03-01T08:02:00Z"}')
    nightly = pages(
        [*rows[:50], record("a", 3), record("b", 2), record("fixed", 3, credit=-5)],
        [record("a", 1, name="Late"), record("b", 4, name="Newer"), record(None, 4), record("bad", 3, credit=-1)],
        [*rows[50:], torn, record("gone", 4, deleted=True), record("tie", 5, name="One"), record("tie", 5, name="Two")],
        [*rows[50:], record(None, 5)],
        observed=MORNING + timedelta(hours=1),
    )
    hourly = pages(
        [record("a", 61, name="Changed"), *rows[:30], record("fixed", 62, credit=5), record("bad", 62, credit=-2)],
        [record("b", 3, name="Late again"), record("c000", 63, deleted=True), record("d", 64), record(None, 64)],
        [record("d", 64), record("gone", 65, name="Back"), record("worse", 65, credit=-9)],
        observed=MORNING + timedelta(hours=2),
    )
    return {NIGHTLY: _with_answers(nightly), HOURLY: _with_answers(hourly)}


def _with_answers(given: list[Page]) -> list[Page]:
    return [
        Page(
            page.records,
            page.extracted_at,
            page.token,
            (LookupResult(f"q{n}", "found"), LookupResult("again", "not_found")),
        )
        for n, page in enumerate(given)
    ]


GIVEN = _given()
_ENDS = {NIGHTLY: MORNING + timedelta(hours=1), HOURLY: MORNING + timedelta(hours=2)}


@dataclass(frozen=True)
class Warehouse:
    """A database of its own, and the folder beside it that holds the anchors of its audit chain."""

    url: str
    home: Path
    suites: Path

    @property
    def loader_url(self) -> str:
        return as_role(self.url, "onefold_loader")

    def job(self, run: str, url: str | None = None, **more: object) -> Job:
        """The job of one of the two loads, as the scheduler gives it: its window ends when its interval ends."""
        shop = Shop(url or self.loader_url, self.suites)
        more = {"run_is_over": lambda dag_id, run_id: False, "last_attempt": False, **more}
        return shop.job(GIVEN.get(run, GIVEN[HOURLY]), run=run, requested=WindowRequest(end=_ENDS.get(run)), **more)

    def query(self, text: str, *values: object) -> list[tuple]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(text, values).fetchall()

    def current(self) -> list[tuple]:
        """What staging shows now, whatever load brought it."""
        return self.query(
            "select _key, _payload::text, _cursor, _deleted from staging.shop__customer__current order by _key"
        )

    def next_load_id(self, load_id: int) -> None:
        """Number the next load so."""
        with psycopg.connect(self.url) as connection:
            connection.execute(
                sql.SQL("alter table ops.load alter column load_id restart with {}").format(sql.Literal(load_id))
            )

    def wait_until_the_dead_are_gone(self) -> None:
        """A killed client's backend rolls back and lets go of its locks by itself, a moment later."""
        deadline = time.monotonic() + 20
        while self.query("select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"):
            assert time.monotonic() < deadline, "sessions of the killed process are still there"
            time.sleep(0.005)


@dataclass
class Undisturbed:
    """What the two loads leave behind where nothing disturbs them: in landing after `land` and `gate`; at the end."""

    landed: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    ended: dict[str, dict[str, list[str]]] = field(default_factory=dict)


class World:
    """The server, and what an undisturbed pair of loads looks like in it."""

    def __init__(self, server: Postgres, folder: Path) -> None:
        self.server, self._folder = server, folder
        self._undisturbed: dict[tuple[int, int], Undisturbed] = {}
        self._after_nightly = ""
        self.suites = folder / "suites"
        self.suites.mkdir()
        (self.suites / "shop__customer.yaml").write_text(SUITE)

    @contextmanager
    def warehouse(self, template: str = TEMPLATE) -> Iterator[Warehouse]:
        """A copy of an empty warehouse, or of another one with the anchors of its audit chain."""
        name = copy_database(self.server, template)
        home = self._folder / name
        if (self._folder / template).exists():
            shutil.copytree(self._folder / template, home)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ONEFOLD_HOME", str(home))
            patch.setenv("ONEFOLD_AUDIT_SALT", "salt of the tests")
            yield Warehouse(self.server.url(name), home, self.suites)
        drop_database(self.server, name)
        shutil.rmtree(home, ignore_errors=True)

    def template(self, run: str) -> str:
        """The warehouse in which a run finds itself: empty, or as the nightly load left it."""
        if run == HOURLY:
            self.undisturbed((1, 2))
            return self._after_nightly
        return TEMPLATE

    def undisturbed(self, load_ids: tuple[int, int]) -> Undisturbed:
        """What is left of both loads where they bear these ids and nothing disturbs them."""
        if load_ids not in self._undisturbed:
            result = self._undisturbed[load_ids] = Undisturbed()
            with self.warehouse() as warehouse:
                for run, load_id in zip((NIGHTLY, HOURLY), load_ids, strict=True):
                    warehouse.next_load_id(load_id)
                    for step, do in STEPS.items():
                        do(warehouse.job(run))
                        if step != "publish":
                            result.landed[run, step] = landing(warehouse.url, load_id)
                    result.ended[run] = observe(warehouse.url)
                    if (run, load_ids) == (NIGHTLY, (1, 2)):
                        warehouse.wait_until_the_dead_are_gone()
                        self._after_nightly = copy_database(self.server, warehouse.url.rpartition("/")[2])
                        shutil.copytree(warehouse.home, self._folder / self._after_nightly)
        return self._undisturbed[load_ids]
