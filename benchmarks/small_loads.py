"""Small loads: how much of a demo that finds nothing new its tasks spend on other things than the work.

The real `onefold demo`, in a home of its own, with Airflow's scheduler and 2,000 companies at the stand-ins of the
source systems. The first demo loads them all; each further one is an hourly sync where nothing changed. Measured for
each of those, for the 13 tasks of its five DAG runs:

- *task time*: from start to end as Airflow's metadata database has them, summed over the tasks;
- *work*: the time within it that is extraction (`seconds_extracting` of the ledger: requests, their pages into
  landing), validation (`seconds_gating`: contract, typed candidates, Great Expectations) or a wait of psycopg for the
  warehouse anywhere else (ledger, publish, audit, lineage, commits). What overlaps counts once (benchmarks.stopwatch);
- *the rest*: task time without work. Airflow's part of it is what happens outside of the engine: forking, start, DAG
  file, API server, XCom. The engine's part is its own Python between the work;
- *wall time*: of the whole command, from its start to its end.

The ratio is the rest to the wall time. Tasks run side by side, so it may exceed 1. dbt's SQL goes through another
driver and is not seen: it does not run when nothing is new, and would count as rest.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import psycopg

from benchmarks.table import Row
from onefold.platform.airflow import AIRFLOW_DATABASE
from onefold.platform.postgres import Postgres, free_port
from onefold.settings import ROOT

COMPANIES = 2000
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds, summed over the tasks of one demo; the parts of the work do not overlap."""

    wall: float
    tasks: float
    extracting: float
    gating: float
    sql: float
    engine: float
    imported: float

    @property
    def rest(self) -> float:
        return self.tasks - self.extracting - self.gating - self.sql

    @property
    def airflow(self) -> float:
        return self.rest - self.engine


def measure(rounds: int) -> Iterator[Row]:
    """The share of a demo's wall time that its tasks spend on anything but extraction, SQL and validation."""
    with _demos() as demo:
        demo.run()
        measured = [demo.figures(*demo.run()) for _ in range(rounds)]
    median = Figures(*(statistics.median(getattr(each, field.name) for each in measured) for field in fields(Figures)))
    yield Row(
        "second demo: task time outside extraction, SQL and validation / wall time",
        statistics.median(each.rest / each.wall for each in measured),
        0.25,
        f"wall {median.wall:.1f} s, tasks {median.tasks:.2f} s: extraction {median.extracting:.2f}, validation "
        f"{median.gating:.2f}, other SQL {median.sql:.2f}, Airflow {median.airflow:.2f}, the engine's own Python "
        f"{median.engine:.2f}; modules imported by all tasks together: {median.imported:.0f}",
        smaller=True,
    )


@dataclass(frozen=True, slots=True)
class _Demo:
    home: Path
    postgres: Postgres
    environment: Mapping[str, str]

    def run(self) -> Span:
        """Run the demo to its end and return when it ran (seconds since 1970). Raises what it said when it failed."""
        began = time.time()
        self.onefold("demo")
        return began, time.time()

    def onefold(self, *arguments: str) -> None:
        ended = subprocess.run(
            [str(ROOT / "bin" / "onefold"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise RuntimeError(f"onefold {' '.join(arguments)} failed:\n{ended.stdout}{ended.stderr}")

    def figures(self, began: float, ended: float) -> Figures:
        """What the tasks that ran between these two instants did with their time."""
        with psycopg.connect(self.postgres.url(AIRFLOW_DATABASE)) as connection:
            tasks = connection.execute(
                "select pid, extract(epoch from start_date)::float8, extract(epoch from end_date)::float8"
                " from task_instance where start_date between to_timestamp(%s) and to_timestamp(%s)",
                (began, ended),
            ).fetchall()
        each = [self._task(*task) for task in tasks]
        return Figures(ended - began, *(sum(column) for column in zip(*each, strict=True)))

    def _task(self, pid: int, start: float, end: float) -> tuple[float, ...]:
        seen = json.loads((self.home / "stopwatch" / f"{pid}.json").read_text())
        spans: dict[str, list[Span]] = {"extracting": [], "gating": [], "sql": [], "engine": []}
        for kind, began, ended in seen["spans"]:
            spans[kind].append((max(began, start), min(ended, end)))
        # What an earlier kind covers is not counted again for a later one.
        covered, so_far, parts = 0.0, [], []
        for kind in ("extracting", "gating", "sql", "engine"):
            so_far += spans[kind]
            parts.append(_length(so_far) - covered)
            covered += parts[-1]
        return (end - start, *parts, len(seen["imported"]))


def _length(spans: list[Span]) -> float:
    """How much time the spans cover together."""
    total, until = 0.0, 0.0
    for began, ended in sorted(spans):
        total += max(0.0, ended - max(began, until))
        until = max(until, ended)
    return total


@contextmanager
def _demos() -> Iterator[_Demo]:
    """An installation of its own, whose scheduler carries the stopwatch; ended and deleted at the end."""
    home = Path(tempfile.mkdtemp(prefix="onefold-bench-"))
    home.chmod(0o755)  # the unprivileged account that PostgreSQL gets when root runs it must come in
    port = free_port()
    ours = ("ONEFOLD_", "AIRFLOW_", "SANDBOX_")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
        "ONEFOLD_HOME": str(home),
        "ONEFOLD_PG_PORT": str(port),
        "ONEFOLD_UI_PORT": str(free_port()),
        "ONEFOLD_SANDBOX_PORT": str(free_port()),
        "ONEFOLD_PRELOAD": "benchmarks.stopwatch",
        "SANDBOX_COMPANIES": str(COMPANIES),
    }
    demo = _Demo(home, Postgres(home, port), environment)
    try:
        yield demo
    finally:
        demo.onefold("down", "--delete-data")
        shutil.rmtree(home)
