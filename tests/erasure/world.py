"""A cluster with nobody in it but the two people of the office, whose erasure is approved; and copies of it, to erase
in, to kill, and to look at afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg import sql

from onefold.erasure.lifecycle import execute_erasure
from onefold.load import gate_step
from onefold.load.ledger import Run
from onefold.platform.postgres import Postgres
from onefold.platform.postgres_account import Location
from tests.approvals import answer
from tests.databases import copy_database, drop_database
from tests.erasure.office import EMAIL, OTHER, PESEL, Office, adam, bytes_on_disk, event, traces, zofia
from tests.roles import as_role

NEEDLES = (EMAIL, PESEL, "Brzezińska", "601 222 333")
_SEEN = ("conformed", "landing", "mapped", "ops", "staging")


@dataclass(frozen=True)
class Warehouse:
    """A copy of the office, and its own home."""

    server: Postgres
    location: Location
    name: str
    home: Path
    run: Run

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    @property
    def loader_url(self) -> str:
        return as_role(self.url, "onefold_loader")

    def erase(self, url: str | None = None) -> None:
        """Execute what is approved, as its task does; nothing where it is done."""
        execute_erasure(url or self.loader_url, Office(self.loader_url, self.home).catalog, self.run)

    def seen(self) -> dict[str, list[str]]:
        """Every row of every table, without times and fingerprints; and what the audit chain says happened."""
        with psycopg.connect(self.url) as owner:
            tables = owner.execute(
                "select n.nspname, c.relname, array_agg(a.attname::text) filter (where format_type(a.atttypid, null)"
                " in ('timestamp with time zone', 'bytea')) from pg_class c join pg_namespace n on"
                " n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0"
                " where c.relkind = 'r' and n.nspname = any (%s) group by 1, 2",
                (list(_SEEN),),
            ).fetchall()
            found = {
                f"{schema}.{name}": self._rows(
                    owner, sql.SQL("to_jsonb(t) - {}::text[]").format(without or []), schema, name
                )
                for schema, name, without in tables
            }
            what = sql.SQL("concat_ws(' ', actor, action, subject, result, payload)")
            events = self._rows(owner, what, "audit", "event")
            # PostgreSQL forgets at once what was read; that an attempt made it do so, and died, is one gap more.
            return {**found, "audit.event": [event for event in events if " read.gap " not in event]}

    @staticmethod
    def _rows(owner: psycopg.Connection, what: sql.Composable, schema: str, name: str) -> list[str]:
        query = sql.SQL("select ({})::text from only {} as t order by 1").format(what, sql.Identifier(schema, name))
        return [text for (text,) in owner.execute(query)]

    def traces(self) -> list[str]:
        """Where anything of the person still is: tables, files of the copy, the log, the home."""
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as owner:
            owner.execute("checkpoint")
            (number,) = owner.execute("select oid from pg_database where datname = %s", [self.name]).fetchone()
        data = self.location.data
        of_server = [data / name for name in ("global", "pg_stat", "pg_stat_tmp", "pg_wal")]
        folders = (data / "base" / str(number), *of_server, self.home, self.server.home / "logs")
        return traces(self.url) + [path for each in folders for path in bytes_on_disk(each, NEEDLES)]

    def wait_until_the_dead_are_gone(self) -> None:
        """A killed client's backend ends its statement and lets go of its locks by itself, a moment later."""
        deadline = time.monotonic() + 60
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as owner:
            while owner.execute("select from pg_stat_activity where datname = %s", [self.name]).fetchall():
                assert time.monotonic() < deadline, "sessions of the killed process are still there"
                owner.execute("select pg_sleep(0.01)")


@dataclass
class ErasureWorld:
    """The server, and what an undisturbed erasure leaves in it."""

    server: Postgres
    location: Location
    folder: Path

    @contextmanager
    def warehouse(self) -> Iterator[Warehouse]:
        """A copy of the office in which Zofia's erasure is approved."""
        template, home, run = self._filled
        name = copy_database(self.server, template)
        copy = Warehouse(self.server, self.location, name, self.folder / name, run)
        shutil.copytree(home, copy.home)
        with at_home(copy.home):
            yield copy
        drop_database(self.server, name)
        shutil.rmtree(copy.home)

    @cached_property
    def undisturbed(self) -> dict[str, list[str]]:
        """What a warehouse is like after an erasure that nothing disturbs; nothing of her is left there."""
        with self.warehouse() as copy:
            assert len(copy.traces()) > 5
            copy.erase()
            assert copy.traces() == []
            return copy.seen()

    def kill_server(self) -> bool:
        """Kill PostgreSQL with -9, all of it. False: the connection is cut there."""
        pid = self.server.pid()
        assert pid
        every = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for process in every:
            os.kill(process.pid, signal.SIGKILL)
        psutil.wait_procs(every, timeout=30)
        return False

    @cached_property
    def _filled(self) -> tuple[str, Path, Run]:
        name = copy_database(self.server, "warehouse")
        home = self.folder / "filled"
        with at_home(home), pytest.MonkeyPatch.context() as patch:
            patch.setattr(gate_step, "evaluate_suite", lambda *_: [])
            office = Office(as_role(self.server.url(name), "onefold_loader"), home)
            office.load("hr.employee", zofia(), adam())
            office.load("hr.employee", zofia(department="Board"), adam())
            office.load("hr.employee", zofia(department=17), adam())
            guests = [("Zofia Brzezińska", EMAIL), ("Adam Nowy", OTHER)]
            office.load(
                "microsoft365.calendar_event",
                event("1", 1, subject="Budget with Zofia Brzezińska", guests=guests, by=("Adam Nowy", OTHER)),
                event("2", 2, subject="Nothing of hers", guests=[], by=("Adam Nowy", OTHER)),
            )
            with psycopg.connect(self.server.url(name), autocommit=True) as owner:
                owner.execute("analyze")
            run, number, _ = office.plan()
            answer(office.url, f"erasure:{number}", "approver", approved=True)
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as owner:
            owner.execute("checkpoint")
        return name, home, run


@contextmanager
def at_home(home: Path) -> Iterator[None]:
    """Whatever is erased meanwhile has its key, its register and its case there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEFOLD_HOME", str(home))
        yield
