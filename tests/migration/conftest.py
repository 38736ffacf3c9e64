"""Somebody who starts a migration of one stream of a stand-in, as the DAG's tasks do, and what may go wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest
from purgatory import SyncCircuitBreakerFactory

from onefold.connectors.counting import Counter
from onefold.connectors.page import Page, PageReader
from onefold.connectors.window import BEGINNING, Window
from onefold.load.extraction import counts_from, open_transport
from onefold.load.job import Job
from onefold.load.usage import Usage
from onefold.load.window import WindowRequest
from onefold.migration import ledger
from onefold.migration.approval import ask_approval
from onefold.migration.chunks import dry_run_chunks, publish_chunks
from onefold.migration.ledger import Chunk, Migration
from onefold.migration.plan import Plan, make_plan
from onefold.migration.request import MigrationRequest
from onefold.platform.postgres import Postgres
from onefold.platform.sandbox_database import NAMES, create_databases, reader
from onefold.platform.secrets import load_secrets
from sandbox.process import Sandbox, running
from tests.acceptance.bench import Bench
from tests.acceptance.streams import CATALOG, Listed
from tests.approvals import answer
from tests.roles import as_role

ORDER = Listed("salesforce.order")
EXTRACT = Listed("krs.extract")
NOW = datetime.now(UTC)


class Crash(BaseException):
    """The end of the process."""


def nothing() -> None:
    """Happens between two things when nothing does."""


class Engineer:
    """Migrates a stream, Salesforce's orders, into one warehouse.

    `asked` are the windows that were read. `lost` are the keys of records that the source leaves out of its pages;
    `meanwhile` is called when a window has been read.
    """

    def __init__(self, bench: Bench, listed: Listed = ORDER) -> None:
        self.bench = bench
        self.listed = listed
        self.loader = as_role(bench.url, "onefold_loader")
        self.connection = psycopg.connect(self.loader, autocommit=True)
        self.asked: list[Window] = []
        self.lost: set[str] = set()
        self.meanwhile: Callable[[], None] = nothing

    def of(self, name: str) -> Engineer:
        """The same, for another stream."""
        return Engineer(self.bench, Listed(name))

    def request(self, first: datetime, chunks: int = 4) -> MigrationRequest:
        chunk = (NOW - first) / chunks + timedelta(microseconds=1)  # a division that rounds down leaves a rest
        return MigrationRequest(
            self.listed.system.system, (self.listed.stream_name,), first, NOW, chunk, "the years before us"
        )

    def begin(self, request: MigrationRequest, run: str = "manual__1") -> Migration:
        return ledger.begin(self.connection, request, self.plan(request), f"airflow:by:engineer/migrate/{run}", run)

    def plan(self, request: MigrationRequest) -> Plan:
        return make_plan(self.connection, CATALOG.systems, request)

    def dry_run(self, migration: Migration, may_go_on: Callable[[], None] = nothing) -> None:
        stream = self.listed.stream_name
        dry_run_chunks(self.loader, migration, stream, self._job(migration), may_go_on, self.counts)

    def publish(self, migration: Migration, may_go_on: Callable[[], None] = nothing) -> None:
        publish_chunks(self.loader, migration, self.listed.stream_name, self._job(migration), may_go_on)

    def approve(self, migration: Migration) -> None:
        self.report(migration)
        answer(self.loader, migration.subject, "approver", approved=True)

    def report(self, migration: Migration) -> None:
        """The dry run has ended, and its report is shown."""
        ledger.record_report(self.connection, migration, {})
        ask_approval(self.connection, migration, "what the dry run has found")

    def approved(self, request: MigrationRequest) -> Migration:
        """A migration that has come as far as its approval."""
        migration = self.begin(request)
        self.dry_run(migration)
        self.approve(migration)
        return migration

    def chunks(self, migration: Migration) -> list[Chunk]:
        return ledger.chunks(self.connection, migration, self.listed.stream_name)

    def done(self) -> tuple[int, int, int]:
        """How many loads are published, of how many chunks, and in how many events of the audit chain."""
        (counts,) = self.bench.query(
            "select (select count(*) from ops.load where state = 'published'),"
            " (select count(distinct load_id) from ops.migration_chunk),"
            " (select count(*) from audit.event where action = 'load.publish')"
        )
        return counts

    def now(self, migration: Migration) -> Migration:
        return ledger.get(self.connection, migration.migration_id)

    def counts(self, stream: str, usage: Usage) -> AbstractContextManager[Counter | None]:
        unhurried = partial(
            open_transport, breakers=SyncCircuitBreakerFactory(default_threshold=10), sleep=self.bench.slept.append
        )
        endpoint = self.listed.endpoint(self.bench.sandbox)
        return counts_from(self.listed.system, endpoint, self.loader, unhurried)(stream, usage)

    def _job(self, migration: Migration) -> Callable[[WindowRequest, int | None], Job]:
        def faulty(pages: PageReader) -> PageReader:
            def read(window: Window, token: str | None) -> Iterator[Page]:
                self.asked.append(window)
                for page in pages(window, token):
                    yield replace(page, records=[record for record in page.records if record.key not in self.lost])
                self.meanwhile()

            return read

        return lambda requested, dry_run_load: self.bench.job(
            self.listed,
            requested=requested,
            dry_run_load=dry_run_load,
            run=migration.run_id,
            wrap=faulty,
            last_attempt=False,
        )


@pytest.fixture(scope="module")
def sandbox(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    create_databases(postgres.url(), load_secrets(postgres.home).database)
    filled = {f"SANDBOX_{name.upper()}_URL": postgres.url(name, name) for name in NAMES}
    read = {name: postgres.url(name, reader(name)) for name in NAMES}
    state = tmp_path_factory.mktemp("sandbox")
    with running(state, companies=800, environment=filled, databases=read) as sandbox:
        yield sandbox


@pytest.fixture
def engineer(sandbox: Sandbox, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engineer:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    return Engineer(Bench(sandbox, warehouse_url, tmp_path / "home"))


def cursors(engineer: Engineer) -> Sequence[tuple[str, str]]:
    """(cursor, key) of every record that the source has, the oldest first."""
    with engineer.bench.job(engineer.listed).source(engineer.listed.stream_name, Usage()) as pages:
        records = [record for page in pages(Window(BEGINNING, NOW), None) for record in page.records]
    return sorted((record.cursor, record.key) for record in records if record.cursor)


@pytest.fixture
def first(engineer: Engineer) -> datetime:
    """When the first order was changed last."""
    return datetime.fromisoformat(cursors(engineer)[0][0])
