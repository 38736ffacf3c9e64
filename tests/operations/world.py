"""One stream of the real warehouse beside what must be true of it: each step is done to both, then compared."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from onefold.catalog.reader import Catalog
from onefold.catalog.system import System
from onefold.connectors.page import Page
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record
from onefold.connectors.window import Window
from onefold.errors import Fatal
from onefold.load import ledger
from onefold.load.job import Job
from onefold.load.ledger import Run
from onefold.load.usage import Usage
from onefold.load.window import WindowRequest
from onefold.migration import ledger as migrations
from onefold.migration.approval import ask_approval
from onefold.migration.chunks import discard_dry_run, dry_run_chunks, publish_chunks
from onefold.migration.ledger import Migration
from onefold.migration.plan import make_plan
from onefold.migration.request import MigrationRequest
from onefold.rollback.lifecycle import execute_rollback, plan_rollback
from onefold.rollback.request import RollbackRequest
from onefold.warehouse.connection import connect
from onefold.warehouse.tables import StagingTable
from tests.approvals import answer, record_decision
from tests.load.shop import MORNING, SHOP, Shop, record
from tests.operations.seen import Seen
from tests.operations.truth import Load, Read, RowId, Said, Truth, moment
from tests.replay.replaying import closed, job, opened, run_of
from tests.retention.conftest import Warehouse
from tests.retention.conftest import by_class as classes_kept

STARTER = "airflow:by:engineer/{}/{}"
EVERYTHING = -9
"""The least credit that a suite takes which refuses nothing."""
_streams, _runs = itertools.count(1), itertools.count(1)
_REQUEST = {"path": "/customers", "params": {"from": "{start}", "to": "{end}"}}


@contextmanager
def not_counted(stream: str, usage: Usage) -> Iterator[None]:
    """This source does not count."""
    yield None


@dataclass(frozen=True)
class Pending:
    """A migration that waits for approval, and what its chunks have read."""

    migration: Migration
    reads: dict[tuple[datetime, datetime], dict[str, Read]]


class World:
    """A source with a clock of minutes, the stream that it is loaded into, and the truth."""

    def __init__(self, url: str, suites: Path, *, by_class: bool = False) -> None:
        name = f"customer{next(_streams)}"
        said = self.system(name)
        self.shop = Shop(url, suites, classes_kept(said, contact="P1D") if by_class else said, name)
        self.catalog = Catalog(systems={"shop": self.shop.system}, entities={})
        self.table = StagingTable("shop", name)
        self.truth = Truth()
        self.source: dict[str, Said] = {}
        self.vanished: dict[str, int] = {}
        self.clock = self.steps = 0
        self.pending: Pending | None = None
        self.rolled_back: dict[int, tuple[int, ...]] = {}
        self.missing: set[tuple[str, str]] = set()
        self._given: dict[tuple[datetime, datetime], dict[str, Read]] = {}
        self.suite(0)
        self.seen = Seen(url, self.table, names_go=by_class, of_log=self.of_log)

    of_log = conforms = False

    def system(self, stream_name: str) -> System:
        """The shop with this one stream."""
        stream = SHOP.model_dump(exclude_unset=True)["streams"]["customer"] | {"request": _REQUEST}
        return System.model_validate(SHOP.model_dump(exclude_unset=True) | {"streams": {stream_name: stream}})

    def close(self) -> None:
        """Nothing more is looked at."""
        self.seen.close()

    # What happens at the source, and to the suite

    def change(self, key: str, credit: int, late: int, *, deleted: bool) -> None:
        """The source changes, adds or deletes a record; its stamp may be `late` minutes old, but never goes back."""
        was = self.source.get(key)
        if deleted and (was is None or was.deleted):
            return
        stamp = max(self.clock - late, was.minute if was else self.vanished.get(key, 0))
        self.source[key] = Said(stamp, was.credit if deleted else credit, deleted)

    def vanish(self, key: str) -> None:
        """The source deletes a record and says nothing of it; one that comes again is stamped no earlier."""
        if was := self.source.pop(key, None):
            self.vanished[key] = was.minute

    def suite(self, least_credit: int) -> None:
        """The suite refuses less credit from now on."""
        self.least_credit = least_credit
        (self.shop.suites / f"{self.table.name}.yaml").write_text(
            f"name: {self.table.name}\nexpectations:\n  - {{type: expect_column_values_to_be_between,"
            f" kwargs: {{column: credit, min_value: {least_credit}}}}}\n"
        )

    # The operations

    def sync(self) -> None:
        """What the schedule starts: it goes on from what is published last, up to now."""
        self._load(WindowRequest(end=moment(self.clock + 1)))

    def backfill(self, start: int, end: int) -> None:
        """A window of the source's minutes."""
        self._load(WindowRequest(moment(start), moment(end), exactly=True))

    def _load(self, requested: WindowRequest) -> None:
        run = f"sync__{next(_runs)}"
        loaded = self.shop.run(self._job(requested, None, Run("sync__shop", run, "os:tester")))
        self._published(loaded, self._given[loaded.window_start, loaded.window_end])

    def sweep(self) -> None:
        """The keys are listed, and what is gone from the source is deleted, whoever holds it."""
        self.steps += 1
        reads = self.truth.missing(self.source, self.steps)
        if reads is None or not self.truth.loads:
            return

        def listed(window: Window, token: str | None) -> Iterator[Page]:
            yield Page([Record(key, None, False, b"{}") for key in self.source], self._at(), None, (), ended)

        @contextmanager
        def source(stream_name: str, usage: object) -> Iterator[object]:
            yield listed

        ended = (Partition("", None, self._at()),)
        run = Run("reconcile", f"sweep__{next(_runs)}", "os:tester")
        job = replace(self.shop.job([]), source=source, sweep=True, accept_deletes=99, run=run)
        loaded = self.shop.run(job)
        load = Load(loaded.load_id, loaded.run_id, reads, loaded.window_end, listed=len(self.source))
        self.truth.add(load, self.least_credit)

    def replay(self) -> None:
        """Replay all that waits."""
        rows, run = self.truth.visible.rows, run_of()
        chose = tuple(self.truth.visible.waiting())
        if not chose:
            with pytest.raises(Fatal, match="No open row in quarantine matches"):
                opened(self.shop, run, system="shop", stream=self.shop.stream)
            return
        account = opened(self.shop, run, system="shop", stream=self.shop.stream)
        loaded = self.shop.run(job(self.shop, run, account))
        self._published(loaded, {at.key: rows[at].read for at in chose}, chose)
        counts = self.truth.visible.counts[loaded.load_id]
        published = counts.new + counts.changed + counts.deleted
        again = counts.quarantined
        assert closed(self.shop, run) == (len(chose), published, len(chose) - published - again, again)

    def dry_run(self, start: int, end: int, chunks: int) -> None:
        """A migration of a window has had its dry run, and waits for approval; a second one meanwhile is refused."""
        run = f"migrate__{next(_runs)}"
        request = MigrationRequest(
            "shop", (self.shop.stream,), moment(start), moment(end), (moment(end) - moment(start)) / chunks, "why"
        )
        with connect(self.shop.url, autocommit=True) as connection:
            planned = make_plan(connection, self.catalog.systems, request)
            if self.pending:
                with pytest.raises(Fatal, match="is in progress"):
                    migrations.begin(connection, request, planned, STARTER.format("migrate", run), run)
                return
            migration = migrations.begin(connection, request, planned, STARTER.format("migrate", run), run)
            dry_run_chunks(self.shop.url, migration, self.shop.stream, self._of(migration), lambda: None, not_counted)
            migrations.record_report(connection, migration, {})
            ask_approval(connection, migration, "what the dry run has found")
            windows = [
                (chunk.window_start, chunk.window_end)
                for chunk in migrations.chunks(connection, migration, self.shop.stream)
            ]
        self.pending = Pending(migration, {window: self._given[window] for window in windows})

    def decide(self, *, approved: bool) -> None:
        """The migration that waits is published, or turned down."""
        if self.pending is None:
            return
        waits, self.pending = self.pending, None
        migration = waits.migration
        with connect(self.shop.url, autocommit=True) as connection:
            answer(self.shop.url, migration.subject, "approver", approved=approved)
            if not approved:
                migrations.end(connection, migration, "refused", "airflow:approver")
                discard_dry_run(connection, migration)
                return
            publish_chunks(self.shop.url, migration, self.shop.stream, self._of(migration), lambda: None)
            migrations.end(connection, migration, "published", migration.actor)
            loads = [
                ledger.get(connection, chunk.load_id)
                for chunk in migrations.chunks(connection, migration, self.shop.stream)
            ]
        for loaded in loads:
            self._published(loaded, waits.reads[loaded.window_start, loaded.window_end])

    def roll_back(self, picks: tuple[int, ...], *, whole_runs: bool, approved: bool) -> None:
        """Loads are rolled back; with those whose refused rows a replay has judged, that replay."""
        published = [load for load in self.truth.published if load.number > self.truth.final] or self.truth.published
        if not published:
            return
        picked = {published[pick % len(published)].number for pick in picks}
        if whole_runs:
            runs = {self.truth.loads[number].run for number in picked}
            picked = {load.number for load in self.truth.published if load.run in runs}
        if self._refused(RollbackRequest(tuple(picked), reason="why"), picked):
            return
        loads = self.truth.with_their_replays(picked)
        if loads != picked:
            with pytest.raises(Fatal, match="Roll both back together"):
                self._plan(RollbackRequest(tuple(picked), reason="why"))
        self._execute(RollbackRequest(tuple(loads), reason="why"), loads, approved=approved, published=False)

    def undo(self, pick: int) -> None:
        """A rollback is undone."""
        if self.rolled_back:
            rollback_id = list(self.rolled_back)[pick % len(self.rolled_back)]
            loads = self.rolled_back[rollback_id]
            if self._refused(RollbackRequest(undo=rollback_id, reason="why"), loads):
                return
            if self.truth.without_their_origin(set(loads)):
                with pytest.raises(Fatal, match=r"Undo the rollback of load \d+ first"):
                    self._plan(RollbackRequest(undo=rollback_id, reason="why"))
                return
            self._execute(RollbackRequest(undo=rollback_id, reason="why"), set(loads), approved=True, published=True)
            del self.rolled_back[rollback_id]

    def retain(self, warehouse: Warehouse, loads: int) -> None:
        """So many of the oldest loads become final, then retention deletes all that is due."""
        if every := sorted(self.truth.loads):  # all is past its period and conformed: only rollbacks still need it
            warehouse.time_passes(loads=every, conformed=self.conforms)
            self.truth.final = max([self.truth.final, *every[:loads]])
            young = "update ops.load set rollback_until = now() + '20 days' where load_id = any (%s)"
            warehouse.execute(young, [load for load in every if load > self.truth.final])
        assert not [each for each in warehouse.retain(self.shop.system).purged if each.busy]

    def _refused(self, request: RollbackRequest, loads: Iterable[int]) -> bool:
        if final := min(loads) <= self.truth.final:
            kept = {number for (number,) in self.shop.query("select load_id from ops.load")}
            # Retention has deleted loads that brought nothing.
            why = "can no longer be rolled back" if kept.issuperset(loads) else "There is no load"
            with pytest.raises(Fatal, match=why):
                self._plan(request)
        return final

    def _execute(self, request: RollbackRequest, loads: set[int], *, approved: bool, published: bool) -> None:
        planned = self._plan(request)
        self.truth.judge_late(min(loads), self.least_credit)
        record_decision(self.shop.url, planned.rollback_id, "approver", approved=approved)
        if not approved:
            with pytest.raises(Fatal, match="is refused"):
                execute_rollback(self.shop.url, self.catalog, planned.rollback_id, STARTER)
            return
        execute_rollback(self.shop.url, self.catalog, planned.rollback_id, STARTER)
        self.truth.change(loads, published=published)
        self.missing |= {window for stream in planned.streams for window in stream.missing}
        if not published:
            self.rolled_back[planned.rollback_id] = tuple(loads)

    def _plan(self, request: RollbackRequest) -> object:
        run = f"manual__{next(_runs)}"
        return plan_rollback(
            self.shop.url, self.catalog, request, Run("rollback", run, STARTER.format("rollback", run))
        )

    def bring_all(self) -> None:
        """Do what the plans of the rollbacks say: load what is missing, sync, fix the suite, replay what waits."""
        self.suite(EVERYTHING)
        for start, end in sorted(self.missing):
            self._load(WindowRequest(datetime.fromisoformat(start), datetime.fromisoformat(end), exactly=True))
        self.sync()
        self.replay()
        self.sweep()

    def compare(self) -> None:
        """The warehouse is what the truth says."""
        self.seen.agrees_with(self.truth)

    # How the engine asks the source

    def _of(self, migration: Migration) -> object:
        run = Run("migrate", migration.run_id, migration.actor)
        return lambda requested, dry_run_load: self._job(requested, dry_run_load, run)

    def _job(self, requested: WindowRequest, dry_run_load: int | None, run: Run) -> Job:
        @contextmanager
        def source(stream_name: str, usage: object) -> Iterator[object]:
            yield self._answer

        return replace(self.shop.job([]), source=source, requested=requested, dry_run_load=dry_run_load, run=run)

    def _answer(self, window: Window, token: str | None) -> Iterator[Page]:
        """What the source has that was changed within the window."""
        self.steps += 1
        found = {
            key: Read(said, self.steps)
            for key, said in self.source.items()
            if window.start <= moment(said.minute) < window.end
        }
        self._given[window.start, window.end] = found
        records = [
            record(key, read.said.minute, deleted=read.said.deleted, credit=read.said.credit)
            for key, read in found.items()
        ]
        yield Page(records, self._at(), None)

    def _at(self) -> datetime:
        """When the source was read in this step: later than now, which is when a deletion is found."""
        return MORNING + timedelta(days=9999, seconds=self.steps)

    def _published(self, loaded: ledger.Load, reads: dict[str, Read], chose: tuple[RowId, ...] = ()) -> None:
        moved = not chose and self.truth.moves_cursor(loaded.window_start)
        load = Load(loaded.load_id, loaded.run_id, dict(reads), loaded.window_end, moved, chose=chose)
        self.truth.add(load, self.least_credit)
