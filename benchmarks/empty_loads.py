"""Empty loads: how long a load takes that finds nothing new, in a process that has imported all it needs."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.companies import pages
from benchmarks.loading import job
from benchmarks.measure import Warehouse, medians, seconds
from benchmarks.table import Row
from onefold.load import steps

COMPANIES = 2000
LOADS_A_ROUND = 10


def measure(warehouse: Warehouse, rounds: int) -> Iterator[Row]:
    """Seconds of one `steps.run` whose source gives no page, on a stream that holds 2,000 companies."""
    with warehouse.fresh() as url:
        steps.run(job(url, list(pages(COMPANIES)), "first"))
        steps.run(job(url, [], "warm"))
        loads = rounds * LOADS_A_ROUND
        runs = ({"load": seconds(lambda n=n: steps.run(job(url, [], f"empty {n}")))} for n in range(loads))
        yield Row("empty load, seconds", medians(runs)["load"], 0.08, f"median of {loads} loads", smaller=True)
