"""Messages of queues into landing: Redis streams."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import redis

from benchmarks.measure import Warehouse, seconds
from benchmarks.table import Row
from onefold.catalog.system import System
from onefold.http.endpoint import Endpoint
from onefold.load import steps
from onefold.load.extraction import from_system
from onefold.load.job import Job
from onefold.load.ledger import Run
from tests.connectors import redis_server

MESSAGES = 100_000
TARGET = 40_000
"""Messages a second."""
NOTE = "x" * 150


def measure(server: Warehouse, rows: int, rounds: int) -> Iterator[Row]:
    """The rate, with bodies of 200 bytes; the rows are MESSAGES at most."""
    count = min(rows, MESSAGES)
    bodies = [msgspec.json.encode({"id": f"k{n}", "number": n, "note": NOTE}) for n in range(count)]
    rates = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="onefold-bench-")))
        found = redis_server.programs(folder / "programs")
        port = stack.enter_context(redis_server.running(folder / "redis", found))
        endpoint = Endpoint(f"redis://127.0.0.1:{port}", None, redis_server.PASSWORD)
        _fill(port, bodies)
        for _ in range(min(rounds, 3)):
            with server.fresh() as url:
                job = _job(endpoint, url)
                rates.append(count / seconds(lambda job=job: _land(job, count)))
    rate = statistics.median(rates)
    yield Row(f"Redis stream: messages/s / {TARGET:,}", rate / TARGET, 1.0, f"{rate:,.0f}/s into landing")


def _land(job: Job, count: int) -> None:
    load = steps.land(job)
    if load.rows_read != count:
        raise AssertionError(f"{load.rows_read:,} of {count:,} messages have landed")


def _fill(port: int, bodies: list[bytes]) -> None:
    with redis.Redis(port=port, password=redis_server.PASSWORD) as client:
        client.delete("orders")
        for at in range(0, len(bodies), 1_000):
            with client.pipeline(transaction=False) as pipeline:
                for body in bodies[at : at + 1_000]:
                    pipeline.xadd("orders", {"body": body})
                pipeline.execute()


def _system() -> System:
    fields = {"id": "text", "number": "integer", "note": "text"}
    request = {"stream": "orders", "field": "body"}
    stream = {"title": "Orders", "request": request, "primary_key": ["id"], "fields": fields}
    head = {"system": "bench", "title": "Queue", "connection": "t", "schedule": "0 * * * *"}
    limits = {"rate": ["1000/s"]}
    return System.model_validate({**head, "protocol": "redis_stream", "limits": limits, "streams": {"order": stream}})


def _job(endpoint: Endpoint, url: str) -> Job:
    system = _system()
    return Job(
        system=system,
        stream_name="order",
        run=Run("sync__bench", "manual__1", "os:bench"),
        source=from_system(system, endpoint, url, {"bench": system}, {}),
        source_url=endpoint.url,
        warehouse_url=url,
        entities={},
        run_is_over=lambda dag_id, run_id: True,
    )
