"""A warehouse of the benchmark's own, and timing of things in turn."""

from __future__ import annotations

import gc
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from onefold.platform.postgres import Postgres, free_port
from onefold.platform.postgres_account import delete_data
from onefold.warehouse.install import ROLES, install

PASSWORD = "benchmark-only"  # noqa: S105 - of a server that lives as long as the run


@dataclass
class Warehouse:
    """A running server; `fresh` gives the loader's URL of another, empty warehouse."""

    server: Postgres
    count: int = 0

    @contextmanager
    def fresh(self) -> Iterator[str]:
        self.count += 1
        os.environ["ONEFOLD_HOME"] = str(self.server.home / f"home_{self.count}")  # its own anchors of its own audit
        name = f"bench_{self.count}"
        install(self.server.url(), dict.fromkeys(ROLES, PASSWORD), name)
        yield f"postgresql://onefold_loader:{PASSWORD}@127.0.0.1:{self.server.port}/{name}"
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@contextmanager
def warehouse() -> Iterator[Warehouse]:
    """A PostgreSQL with the settings that Onefold runs it with, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="onefold-bench-") as folder:
        server = Postgres(Path(folder), free_port())
        server.start()
        try:
            yield Warehouse(server)
        finally:
            server.stop()
            delete_data(server.home)


def seconds(do: Callable[[], object]) -> float:
    """How long it takes, with the garbage of what ran before already gone."""
    gc.collect()
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def medians(rounds: Iterator[Mapping[str, float]]) -> dict[str, float]:
    """The median of each figure over the rounds."""
    every = list(rounds)
    return {name: statistics.median(each[name] for each in every) for name in every[0]}


def peak_memory() -> float:
    """The most memory that this process ever held, in MB. Not ru_maxrss, which begins with that of the parent."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
