"""Loading: pages as received become landing rows, then published staging versions, against PostgreSQL's own COPY."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks.companies import PAGE, STREAM, SYSTEM, pages, records
from benchmarks.measure import Warehouse, medians, seconds
from benchmarks.table import Row
from onefold.connectors.page import Page
from onefold.connectors.records import Splitter
from onefold.http.attempt import Response
from onefold.load import steps
from onefold.load.job import Job
from onefold.load.ledger import Run
from onefold.warehouse.connection import connect

SUITES = Path(__file__).parent / "suites"


def measure(warehouse: Warehouse, rows: int, rounds: int) -> Iterator[Row]:
    """Landing, the whole first load, and a re-load with one record in a hundred changed; each also with a tenth."""
    bodies = {size: (list(pages(size)), list(pages(size, changed_every=100))) for size in (rows, rows // 10)}
    blocks = {size: copy_blocks(size) for size in bodies}
    every: dict[int, list[dict[str, float]]] = {size: [] for size in bodies}
    for _ in range(rounds):
        for size, (first, second) in bodies.items():
            every[size].append(_round(warehouse, first, second, blocks[size]))
    figures, tenth = medians(every[rows]), medians(every[rows // 10])
    land, copied, whole, again = (figures[name] for name in ("land", "copy", "first load", "re-load"))
    detail = f"{rows / land:,.0f} records/s; of raw COPY over two connections {figures['copy twice'] / land:.2f}"
    yield Row("landing / raw COPY", copied / land, 0.90, detail)
    yield Row("whole first load / raw COPY", copied / whole, 0.40, _steps(figures, ""))
    yield Row("re-load, 1 % changed / first load", again / whole, 0.50, _steps(figures, "again "), smaller=True)
    for what in ("land", "first load", "re-load"):
        detail = f"{rows // 10:,} records {tenth[what]:.2f} s, {rows:,} records {figures[what]:.2f} s"
        yield Row(
            f"growth of {what} with ten times the records", figures[what] / tenth[what], 10.5, detail, smaller=True
        )


def copy_blocks(rows: int) -> list[bytes]:
    """The payloads in COPY's binary format, one jsonb column, ready to send: nothing is left to do but to send them."""
    one_column = struct.pack("!h", 1)
    every = [one_column + struct.pack("!i", len(each) + 1) + b"\1" + each for each in records(rows)]
    return [b"".join(every[at : at + PAGE]) for at in range(0, rows, PAGE)]


def raw_copy(connection: psycopg.Connection, blocks: list[bytes]) -> None:
    """COPY into an ordinary table with one jsonb column: as fast as PostgreSQL takes the bytes."""
    with (
        connection.cursor() as cursor,
        cursor.copy("copy staging.raw_copy from stdin (format binary)") as copy,
    ):
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for block in blocks:
            copy.write(block)
        copy.write(b"\xff\xff")


def _raw_copies(url: str, blocks: list[bytes], connections: int) -> float:
    """Seconds that raw COPY takes into a new table, its blocks dealt out to so many connections."""
    with ExitStack() as stack:
        pool = [stack.enter_context(connect(url, autocommit=True)) for _ in range(connections)]
        pool[0].execute("create table staging.raw_copy (payload jsonb)")
        threads = stack.enter_context(ThreadPoolExecutor(connections))
        shares = [blocks[number::connections] for number in range(connections)]
        taken = seconds(lambda: list(threads.map(raw_copy, pool, shares)))
        pool[0].execute("drop table staging.raw_copy")
    return taken


def job(url: str, bodies: Iterable[bytes], run: str) -> Job:
    """A load whose source gives these bodies at once, through the splitter that every JSON source uses."""
    split = Splitter("bench.company", STREAM, (STREAM.records,), None)

    @contextmanager
    def source(stream_name: str, usage: object) -> Iterator[object]:
        def read(window: object, token: str | None) -> Iterator[Page]:
            for number, body in enumerate(bodies, start=1):
                yield Page(split(Response(200, {}, body)).records, datetime.now(UTC), str(number))

        yield read

    return Job(
        system=SYSTEM,
        stream_name="company",
        run=Run("sync__bench", run, "os:bench"),
        source=source,
        source_url="https://bench.example",
        warehouse_url=url,
        entities={},
        run_is_over=lambda dag_id, run_id: True,
        suites=SUITES,
    )


def _round(warehouse: Warehouse, first: list[bytes], second: list[bytes], blocks: list[bytes]) -> dict[str, float]:
    with warehouse.fresh() as url:
        figures = {"copy": _raw_copies(url, blocks, 1), "copy twice": _raw_copies(url, blocks, 2)}
        for whole, prefix, bodies in (("first load", "", first), ("re-load", "again ", second)):
            load = job(url, bodies, f"run {prefix}")
            for name, step in (("land", steps.land), ("gate", steps.gate), ("publish", steps.publish)):
                figures[prefix + name] = seconds(lambda step=step, load=load: step(load))
            figures[whole] = sum(figures[prefix + name] for name in ("land", "gate", "publish"))
    return figures


def _steps(figures: dict[str, float], prefix: str) -> str:
    return ", ".join(f"{step} {figures[prefix + step]:.1f} s" for step in ("land", "gate", "publish"))
