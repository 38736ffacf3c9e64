"""Loading beside dlt: the same pages into the same PostgreSQL, in turn. dlt runs in an environment of its own."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import click

from benchmarks.companies import pages
from benchmarks.loading import job
from benchmarks.measure import Warehouse, medians, seconds
from benchmarks.table import Row
from onefold.load import steps

PYTHON = Path(__file__).parents[1] / ".venv" / "bench" / "bin" / "python"
PROCESS = Path(__file__).parent / "dlt_process.py"
MOST_ROWS, MOST_ROUNDS = 200_000, 3
"""dlt's slowest way takes a minute for so many; both sides get the same."""

APPENDS = ("documents append tuned", "arrow append tuned")
MERGES = ("arrow delete-insert tuned", "arrow upsert tuned")
"""The fastest two; from dicts, scd2 too takes two to four times as long, and Arrow tables have no scd2 of their own."""

FROM_DICTS = "dicts delete-insert default"


def measure(warehouse: Warehouse, rows: int, rounds: int) -> Iterator[Row]:
    """A first load and a re-load with 1 % changed, against dlt's fastest ways and its plainest."""
    if not PYTHON.exists():
        raise click.ClickException(f"there is no {PYTHON}, in which dlt runs: start the benchmarks with make bench.")
    rows, rounds = min(rows, MOST_ROWS), min(rounds, MOST_ROUNDS)
    with tempfile.TemporaryDirectory(prefix="onefold-dlt-") as folder:
        first, second = list(pages(rows)), list(pages(rows, changed_every=100))
        _write(Path(folder) / "first", first)
        _write(Path(folder) / "second", second)
        figures = medians(_round(warehouse, first, second, folder) for _ in range(rounds))
    at = f"at {rows:,} rows"

    def row(what: str, ours: str, theirs: str, target: float) -> Row:
        detail = f"{at}: {figures[ours]:.1f} s against {figures[theirs]:.1f} s ({theirs})"
        return Row(what, figures[theirs] / figures[ours], target, detail)

    yield row("dlt's append of dicts to jsonb / whole first load", "load", APPENDS[0], 3.0)
    yield row("dlt's append of Arrow tables / whole first load", "load", APPENDS[1], 3.0)
    fastest = min(MERGES, key=lambda merge: figures[merge])
    yield row("dlt's fastest merge / re-load, 1 % changed", "re-load", fastest, 5.0)
    yield row("dlt's merge of dicts / re-load, 1 % changed", "re-load", FROM_DICTS, 20.0)


def _round(warehouse: Warehouse, first: list[bytes], second: list[bytes], folder: str) -> dict[str, float]:
    figures = {}
    with warehouse.fresh() as url:
        for name, bodies in (("load", first), ("re-load", second)):
            load = job(url, bodies, name)
            figures[name] = sum(
                seconds(lambda s=step, j=load: s(j)) for step in (steps.land, steps.gate, steps.publish)
            )
    for way in (*APPENDS, *MERGES, FROM_DICTS):
        with warehouse.fresh() as url:
            owner = warehouse.server.url(urlsplit(url).path[1:])  # dlt makes schemas and tables of its own
            command = [PYTHON, PROCESS, owner, folder, *way.split()]
            figures[way] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return figures


def _write(folder: Path, bodies: list[bytes]) -> None:
    folder.mkdir()
    for number, body in enumerate(bodies):
        (folder / f"{number:06d}.json").write_bytes(body)
