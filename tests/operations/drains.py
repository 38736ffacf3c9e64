"""As the world of the other steps, but the stream is read from its source's log: loads are drains."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import msgspec
import pytest

from onefold.catalog.system import System
from onefold.connectors.cdc.postgres.position import Lsn, cursor
from onefold.connectors.page import Page
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record
from onefold.connectors.window import Window
from onefold.errors import Fatal
from onefold.load.ledger import Run
from tests.load.shop import SHOP, record
from tests.operations.truth import Load, Read, Said, alive
from tests.operations.world import EVERYTHING, World

_runs = itertools.count(1)


class DrainWorld(World):
    """A source with a log of its changes: what a load has published it does not tell again."""

    of_log = True

    def __init__(self, *given: object, **more: object) -> None:
        self.log: list[tuple[str, Said]] = []
        self.epoch = self.since = 0
        super().__init__(*given, **more)

    def system(self, stream_name: str) -> System:
        head = SHOP.model_dump(exclude_unset=True)
        stream = head["streams"]["customer"] | {"request": {"table": "customers"}, "cursor": None}
        return System.model_validate(head | {"protocol": "cdc", "streams": {stream_name: stream}})

    def change(self, key: str, credit: int, late: int, *, deleted: bool) -> None:
        """As at any source, and in the order of its log."""
        before = self.source.get(key)
        super().change(key, credit, 0, deleted=deleted)
        if self.source.get(key) is not before:
            self.log.append((key, self.source[key]))

    def vanish(self, key: str) -> None:
        """A log tells every deletion."""
        self.change(key, 0, 0, deleted=True)

    def sync(self) -> None:
        """What the schedule starts: from the published position on. It refuses where a load on the way to that is
        missing."""
        if not self.since:
            self._read_whole(anew=False)
            return
        if self.broken:
            with pytest.raises(Fatal, match="was rolled back"):
                self.shop.run(self.job(self._refuse, anew=False))
            return
        self.steps += 1
        told = list(enumerate(self.log, start=1))[self.position :]
        records = [self._record(key, said, number) for number, (key, said) in told]
        page = Page(records, self._at(), None, ended=(Partition("", f"{len(self.log)}"),))
        loaded = self.shop.run(self.job(lambda window: self._follow(window, page), anew=False))
        self.position = len(self.log)
        reads = {key: Read(said, self.steps) for _, (key, said) in told}
        load = Load(loaded.load_id, loaded.run_id, reads, loaded.window_end, listed=len(told))
        self.truth.add(load, self.least_credit)

    def sweep(self) -> None:
        """The stream is loaded anew."""
        self._read_whole(anew=True)

    def bring_all(self) -> None:
        """Do what the plans of the rollbacks say: load the stream anew where one is missing; then fix the suite, and
        replay what waits."""
        self.suite(EVERYTHING)
        self.sync()
        if self.broken:
            self.sweep()
        self.replay()
        assert self.shop.query(
            f"select checkpoint from ops.stream_checkpoint where stream = '{self.shop.stream}'"  # noqa: S608
        ) == [(f"{self.position}",)]

    @property
    def broken(self) -> bool:
        """Whether a load is missing that what is published leans on."""
        loads = self.truth.loads.values()
        return any(load.number >= self.since and not load.chose and not load.published for load in loads)

    def _read_whole(self, *, anew: bool) -> None:
        """The table as it is; what it lacks is deleted."""
        self.steps += 1
        there = alive(self.source)
        gone = self.truth.missing(there, self.steps)
        if gone is None:
            return
        self.epoch += 1
        self.position = len(self.log)
        records = [self._record(key, said, self.position) for key, said in there.items()]
        ended = (Partition("", f"{self.position}", self._at()),)
        page = Page(records, self._at(), None, ended=ended)
        loaded = self.shop.run(self.job(lambda window: self._whole(window, page, anew=anew), anew=anew))
        self.since = loaded.load_id
        reads = {key: Read(said, self.steps) for key, said in there.items()} | gone
        load = Load(loaded.load_id, loaded.run_id, reads, loaded.window_end, listed=len(there))
        self.truth.add(load, self.least_credit)

    def job(self, pages: object, *, anew: bool) -> object:
        """A load whose source gives these pages."""

        @contextmanager
        def source(stream_name: str, usage: object) -> Iterator[object]:
            yield lambda window, token: pages(window)

        run = Run("sync__shop", f"drain__{next(_runs)}", "os:tester")
        return replace(self.shop.job([]), source=source, run=run, anew=anew, accept_deletes=99)

    def _follow(self, window: Window, page: Page) -> Sequence[Page]:
        assert window.checkpoints == {"": f"{self.position}"}
        return [page]

    def _whole(self, window: Window, page: Page, *, anew: bool) -> Sequence[Page]:
        assert (window.checkpoints, window.anew) == ({}, anew)
        return [page]

    def _refuse(self, window: Window) -> Sequence[Page]:
        raise AssertionError("the source was asked")

    def _record(self, key: str, said: Said, position: int) -> Record:
        made = record(key, said.minute, deleted=said.deleted, credit=said.credit)
        return msgspec.structs.replace(made, cursor=cursor(self.epoch, Lsn(position), 0))
