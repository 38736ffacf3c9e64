"""A real Redis, a stream in it, and a warehouse that it is loaded into."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from onefold.catalog.system import System
from onefold.http.endpoint import Endpoint
from tests.connectors.queue_loads import QueueLoads, orders, queue_loads
from tests.connectors.redis_server import PASSWORD, RedisPrograms, programs, running


@pytest.fixture(scope="session")
def redis_programs(tmp_path_factory: pytest.TempPathFactory) -> RedisPrograms:
    return programs(tmp_path_factory.mktemp("redis_programs"))


@pytest.fixture(scope="session")
def redis_port(redis_programs: RedisPrograms, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with running(tmp_path_factory.mktemp("redis"), redis_programs) as port:
        yield port


@dataclass
class Shop:
    """A stream of orders; its producer writes with redis-py, and its log is read back with redis-cli."""

    key: str
    port: int
    client: redis.Redis
    programs: RedisPrograms
    loads: QueueLoads

    def system(self, **more: object) -> System:
        return orders("redis_stream", {"stream": self.key} | dict(more.pop("request", {})), **more)

    def add(self, *orders: tuple[str, int], entry: str = "*") -> None:
        for key, number in orders:
            self.client.xadd(self.key, {"id": key, "number": number}, id=entry)

    def log(self) -> list[tuple[str, int]]:
        """Key and number of every entry that the stream has, as redis-cli prints them."""
        lines = self.programs.cli_lines(self.port, "XRANGE", self.key, "-", "+")
        return [(lines[at + 2], int(lines[at + 4])) for at in range(0, len(lines), 5)]


@pytest.fixture
def shop(
    redis_port: int, redis_programs: RedisPrograms, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shop]:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    loads = queue_loads(warehouse_url, tmp_path, Endpoint(f"redis://127.0.0.1:{redis_port}", None, PASSWORD))
    with redis.Redis(port=redis_port, password=PASSWORD) as client:
        yield Shop(f"orders:{uuid.uuid4().hex}", redis_port, client, redis_programs, loads)
