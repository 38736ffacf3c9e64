"""Loading: pages as received become landing rows, then published staging versions, against PostgreSQL's own COPY."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks.companies import PAGE, STREAM, SYSTEM, pages, records
from benchmarks.measure import Warehouse, medians, seconds
from benchmarks.table import Row
from onefold.connectors.page import Page
from onefold.connectors.records import Splitter
from onefold.http.attempt import Response
from onefold.sync import steps
from onefold.sync.job import Job
from onefold.warehouse.connection import connect
from onefold.warehouse.ledger import Run

SUITES = Path(__file__).parent / "suites"


def measure(warehouse: Warehouse, rows: int, rounds: int) -> Iterator[Row]:
    """Landing, the whole first load, and a re-load with one record in a hundred changed."""
    first, second = pages(rows), pages(rows, changed_every=100)
    blocks = copy_blocks(rows)
    figures = medians(_round(warehouse, first, second, blocks) for _ in range(rounds))
    copied = figures["copy"]
    yield Row("landing / raw COPY", copied / figures["land"], 0.90, f"{rows / figures['land']:,.0f} records/s")
    whole = figures["land"] + figures["gate"] + figures["publish"]
    yield Row("whole first load / raw COPY", copied / whole, 0.40, _steps(figures, ""))
    again = figures["again land"] + figures["again gate"] + figures["again publish"]
    yield Row("re-load, 1 % changed / first load", again / whole, 0.50, _steps(figures, "again "), smaller=True)


def copy_blocks(rows: int) -> list[bytes]:
    """The payloads in COPY's binary format, one jsonb column, ready to send: nothing is left to do but to send them."""
    one_column = struct.pack("!h", 1)
    every = [one_column + struct.pack("!i", len(each) + 1) + b"\1" + each for each in records(rows)]
    return [b"".join(every[at : at + PAGE]) for at in range(0, rows, PAGE)]


def raw_copy(connection: psycopg.Connection, blocks: list[bytes]) -> None:
    """COPY into an ordinary table with one jsonb column: as fast as PostgreSQL takes the bytes."""
    connection.execute("drop table if exists staging.raw_copy")
    connection.execute("create table staging.raw_copy (payload jsonb)")
    with (
        connection.cursor() as cursor,
        cursor.copy("copy staging.raw_copy from stdin (format binary)") as copy,
    ):
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for block in blocks:
            copy.write(block)
        copy.write(b"\xff\xff")


def job(url: str, bodies: list[bytes], run: str) -> Job:
    """A load whose source gives these bodies at once, through the splitter that every JSON source uses."""
    split = Splitter("bench.company", STREAM, (STREAM.records,), None)

    @contextmanager
    def source(stream_name: str, usage: object) -> Iterator[object]:
        def read(window: object, token: str | None) -> Iterator[Page]:
            for number, body in enumerate(bodies[int(token or 0) :], start=1):
                following = str(number) if number < len(bodies) else None
                yield Page(split(Response(200, {}, body)).records, datetime.now(UTC), following)

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
        with connect(url, autocommit=True) as connection:
            figures = {"copy": seconds(lambda: raw_copy(connection, blocks))}
            connection.execute("drop table staging.raw_copy")
        for prefix, bodies in (("", first), ("again ", second)):
            load = job(url, bodies, f"run {prefix}")
            figures[f"{prefix}land"] = seconds(lambda load=load: steps.land(load))
            figures[f"{prefix}gate"] = seconds(lambda load=load: steps.gate(load))
            figures[f"{prefix}publish"] = seconds(lambda load=load: steps.publish(load))
    return figures


def _steps(figures: dict[str, float], prefix: str) -> str:
    return ", ".join(f"{step} {figures[prefix + step]:.1f} s" for step in ("land", "gate", "publish"))
