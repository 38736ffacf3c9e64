"""Messages of queues into landing: Redis streams, RabbitMQ's quorum queues (by way of the inbox) and streams."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pika
import redis

from benchmarks.measure import Warehouse, seconds
from benchmarks.table import Row
from onefold.catalog.system import System
from onefold.http.endpoint import Endpoint
from onefold.load import steps
from onefold.load.extraction import from_system
from onefold.load.job import Job
from onefold.load.ledger import Run
from tests.connectors import rabbit_server, redis_server

MESSAGES = 100_000
TARGETS = {"redis stream": 40_000, "rabbitmq quorum": 15_000, "rabbitmq stream": 15_000}
"""Messages a second, by the queue's kind."""
NOTE = "x" * 150


def measure(server: Warehouse, rows: int, rounds: int) -> Iterator[Row]:
    """The rate of each kind, with bodies of 200 bytes; the rows are MESSAGES at most."""
    count = min(rows, MESSAGES)
    bodies = [msgspec.json.encode({"id": f"k{n}", "number": n, "note": NOTE}) for n in range(count)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="onefold-bench-")))
        found = redis_server.programs(folder / "redis_programs")
        redis_port = stack.enter_context(redis_server.running(folder / "redis", found))
        rabbits = rabbit_server.programs(folder / "rabbit_programs")
        rabbit_port = stack.enter_context(rabbit_server.running(folder / "rabbit", rabbits))
        for kind, target in TARGETS.items():
            rates = []
            for _ in range(min(rounds, 3)):
                if kind == "redis stream":
                    _fill_redis(redis_port, bodies)
                    endpoint = Endpoint(f"redis://127.0.0.1:{redis_port}", None, redis_server.PASSWORD)
                else:
                    _fill_rabbit(rabbit_port, kind.split()[1], bodies)
                    endpoint = Endpoint(f"amqp://127.0.0.1:{rabbit_port}//", "guest", "guest")
                with server.fresh() as url:
                    os.environ["ONEFOLD_WAREHOUSE_URL"] = url
                    job = _job(_system(kind), endpoint, url)
                    rates.append(count / seconds(lambda job=job: _land(job, count)))
            rate = statistics.median(rates)
            yield Row(f"{kind}: messages/s / {target:,}", rate / target, 1.0, f"{rate:,.0f}/s into landing")


def _land(job: Job, count: int) -> None:
    load = steps.land(job)
    if load.rows_read != count:
        raise AssertionError(f"{load.rows_read:,} of {count:,} messages have landed")


def _fill_redis(port: int, bodies: list[bytes]) -> None:
    with redis.Redis(port=port, password=redis_server.PASSWORD) as client:
        client.delete("orders")
        for at in range(0, len(bodies), 1_000):
            with client.pipeline(transaction=False) as pipeline:
                for body in bodies[at : at + 1_000]:
                    pipeline.xadd("orders", {"body": body})
                pipeline.execute()


def _fill_rabbit(port: int, kind: str, bodies: list[bytes]) -> None:
    with rabbit_server.open_broker(port) as connection:
        channel = connection.channel()
        channel.queue_delete("orders")
        channel.queue_declare("orders", durable=True, arguments={"x-queue-type": kind})
        for number, body in enumerate(bodies):
            properties = pika.BasicProperties(delivery_mode=2, message_id=str(number))
            channel.basic_publish("", "orders", body, properties)
    with rabbit_server.open_broker(port) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("flushed")
        channel.basic_publish("", "flushed", b"")


def _system(kind: str) -> System:
    protocol, _, queue = kind.partition(" ")
    request = {"stream": "orders", "field": "body"} if protocol == "redis" else {
        "stream" if queue == "stream" else "queue": "orders"
    }  # fmt: skip
    fields = {"id": "text", "number": "integer", "note": "text"}
    stream = {"title": "Orders", "request": request, "primary_key": ["id"], "fields": fields}
    head = {"system": "bench", "title": "Queue", "connection": "t", "schedule": "0 * * * *"}
    name = "redis_stream" if protocol == "redis" else "rabbitmq"
    limits = {"rate": ["1000/s"]}
    return System.model_validate({**head, "protocol": name, "limits": limits, "streams": {"order": stream}})


def _job(system: System, endpoint: Endpoint, url: str) -> Job:
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
