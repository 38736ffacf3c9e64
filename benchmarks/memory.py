"""Memory of the loading process: its peak over a whole load of many records against that of few."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.measure import Warehouse, peak_memory
from benchmarks.table import Row

FEW = 100_000
MANY = 5_000_000


def measure(warehouse: Warehouse, rows: int, rounds: int) -> Iterator[Row]:
    """One load of FEW and one of MANY (five times `rows`, if that is less), each in a process of its own."""
    few, many = min(FEW, rows // 10), min(MANY, 5 * rows)
    peaks = {size: _peak(warehouse, size) for size in (few, many)}
    detail = f"{few:,} records {peaks[few]:.0f} MB, {many:,} records {peaks[many]:.0f} MB"
    yield Row(
        "peak memory of the loading process, many records / few", peaks[many] / peaks[few], 1.1, detail, smaller=True
    )
    yield Row("peak memory of the loading process / 300 MB", peaks[many] / 300, 1.0, detail, smaller=True)


def _peak(warehouse: Warehouse, rows: int) -> float:
    with warehouse.fresh() as url:
        ran = subprocess.run(
            [sys.executable, "-m", "benchmarks.memory", url, str(rows)], check=True, capture_output=True, text=True
        )
    return float(ran.stdout)


def _load(url: str, rows: int) -> None:
    """All three steps of one load, then the peak of this process in MB."""
    import logging

    from benchmarks.companies import pages
    from benchmarks.loading import job
    from onefold.load import steps

    logging.disable(logging.WARNING)
    load = job(url, pages(rows), "memory")
    for step in (steps.land, steps.gate, steps.publish):
        step(load)
    print(peak_memory())


if __name__ == "__main__":
    _load(sys.argv[1], int(sys.argv[2]))
