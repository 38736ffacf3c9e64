"""A load of a stream that is killed at any moment, or whose Redis or warehouse stops, ends as if undisturbed."""

from __future__ import annotations

import random
from pathlib import Path

import psycopg
import pytest
import redis

from onefold.connectors.redis_stream import reader
from onefold.errors import Retriable
from onefold.http.endpoint import Endpoint
from onefold.load.job import Job
from tests.connectors.killed_load import kill_loads
from tests.connectors.queue_loads import QueueLoads, queue_loads
from tests.connectors.redis_server import PASSWORD, RedisPrograms, running
from tests.connectors.redis_stream.conftest import Shop
from tests.effort import TORTURE

KILLS = 100 if TORTURE else 8
SHARED = "abcde"


def out_of_order(log: list[tuple[str, int]], versions: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Versions of shared keys that do not follow the one before in the log."""
    places = {order: place for place, order in enumerate(log)}
    last = dict.fromkeys(SHARED, -1)
    wrong = []
    for key, number in (each for each in versions if each[0] in SHARED):
        if places[key, number] <= last[key]:
            wrong.append((key, number))
        last[key] = places[key, number]
    return wrong


def test_a_load_killed_at_any_moment_loses_and_doubles_nothing_and_keeps_the_order(shop: Shop) -> None:
    dice, system, numbers = random.Random(7), shop.system(next={"size": 7}), iter(range(10**6))

    def prepare() -> Job:
        for number in (next(numbers) for _ in range(dice.randint(5, 60))):
            shop.add((dice.choice(SHARED) if dice.random() < 0.3 else f"k{number}", number))
        return shop.loads.job(system)

    kill_loads(KILLS, dice, prepare, go_on=lambda job: shop.loads.load(system))
    shop.loads.load(system)
    log, versions = shop.log(), shop.loads.versions()
    assert shop.loads.published() == dict(log)
    unique = [order for order in log if order[0] not in SHARED]
    assert sorted(order for order in versions if order[0] not in SHARED) == sorted(unique)
    assert out_of_order(log, versions) == []


def test_after_the_warehouse_has_ended_the_load_in_the_middle_it_goes_on_where_it_was(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = shop.system(next={"size": 10})
    shop.add(*((f"k{n}", n) for n in range(60)))
    read, asked = reader._Reader._entries, []

    def end_sessions_at_the_third_page(*given: object) -> object:
        asked.append(given)
        if len(asked) == 3:
            with psycopg.connect(shop.loads.url, autocommit=True) as owner:
                owner.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and usename = 'onefold_loader'"
                )
        return read(*given)

    monkeypatch.setattr(reader._Reader, "_entries", end_sessions_at_the_third_page)
    job = shop.loads.job(system)
    with pytest.raises(Retriable):
        shop.loads.do(job)
    assert shop.loads.do(job).rows_read == 60
    assert sorted(shop.loads.versions()) == sorted(shop.log())


def test_a_redis_that_dies_and_starts_again_in_the_middle_of_a_load_costs_nothing(
    redis_programs: RedisPrograms, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    read, asked = reader._Reader._entries, []
    with running(tmp_path / "redis", redis_programs) as port:
        shop = _shop(port, redis_programs, warehouse_url, tmp_path)
        shop.add(*((f"k{n}", n) for n in range(60)))
        system = shop.system(next={"size": 10})
        job = shop.loads.job(system)

        def die_at_the_third_page(*given: object) -> object:
            asked.append(given)
            if len(asked) == 3:
                shop.client.shutdown(nosave=True, now=True, force=True)
            return read(*given)

        monkeypatch.setattr(reader._Reader, "_entries", die_at_the_third_page)
        with pytest.raises(Retriable, match=r"XRANGE orders failed 2 times.*ConnectionError"):
            shop.loads.do(job)
    with running(tmp_path / "redis", redis_programs, port):
        assert shop.loads.do(job).rows_read == 60
        assert sorted(shop.loads.versions()) == sorted(shop.log())


def _shop(port: int, found: RedisPrograms, url: str, folder: Path) -> Shop:
    loads: QueueLoads = queue_loads(url, folder, Endpoint(f"redis://127.0.0.1:{port}", None, PASSWORD))
    return Shop("orders", port, redis.Redis(port=port, password=PASSWORD), found, loads)
