"""Rate limits among threads: places of their own in few transactions, also when a connection is cut."""

from __future__ import annotations

import threading
from itertools import pairwise

import psycopg
import pytest

from onefold.errors import Retriable
from onefold.http.limit import Limit, WarehouseLimiter, rate, reserve


def test_threads_that_ask_at_once_get_places_of_their_own_in_fewer_transactions(
    loader_url: str, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limiter, allowed, gate = WarehouseLimiter(loader_url), [rate("50/s")], threading.Barrier(8)
    places: list[tuple[float, float]] = []  # on the warehouse's clock, and how long until then
    waits: list[float | None] = []

    def noted(arrivals: dict[str, float], rates: list[Limit], now: float) -> tuple[float, dict[str, float]]:
        wait, after = reserve(arrivals, rates, now)
        places.append((now + wait, wait))
        return wait, after

    monkeypatch.setattr("onefold.http.limit.reserve", noted)

    def talk() -> None:
        for _ in range(5):
            gate.wait(30)
            waits.append(limiter.reserve("register", allowed, 60))

    with psycopg.connect(warehouse_url, autocommit=True) as connection:
        connection.execute(
            "insert into ops.rate_limit values ('register', '{}');"
            " create table ops.written (xid xid8);"
            " create function ops.note_writing() returns trigger security definer language plpgsql as"
            " 'begin insert into ops.written values (pg_current_xact_id()); return null; end';"
            " create trigger written after update on ops.rate_limit execute function ops.note_writing()"
        )
        threads = [threading.Thread(target=talk) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        (transactions,) = connection.execute("select count(distinct xid) from ops.written").fetchone()
    limiter.close()
    gaps = [later - earlier for earlier, later in pairwise(sorted(place for place, _ in places))]
    assert sorted(waits) == sorted(wait for _, wait in places)
    assert len(waits) == 40
    assert min(gaps) > 1 / 50 - 1e-4, "each has a place of its own, a fiftieth of a second after the one before"
    assert 0 < transactions < 40, "each wrote alone"


def test_a_place_that_takes_too_long_is_refused_to_the_one_who_cannot_wait(loader_url: str) -> None:
    limiter, allowed = WarehouseLimiter(loader_url), [rate("1/h")]
    given: list[float | None] = []
    threads = [
        threading.Thread(target=lambda: given.append(limiter.reserve("register", allowed, 10))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    limiter.close()
    assert sorted(given, key=str) == [0, *[None] * 5]


class _InTurn:
    """A lock that is first given when all threads have come to it; who leaves it stays until the next is `between`."""

    def __init__(self, threads: int) -> None:
        self.between = threading.Event()
        self._all = threading.Barrier(threads)
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._all.wait(30)
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        self.between.wait(30)


def test_a_connection_that_is_cut_fails_one_thread_and_those_who_waited_for_it_ask_themselves(
    loader_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limiter, allowed, turns = WarehouseLimiter(loader_url), [rate("3/day@Europe/Warsaw")], _InTurn(threads=4)
    first_is_out, asked = threading.Event(), iter(range(1, 100))
    given: list[float | None] = []
    failed: list[Retriable] = []

    def cut(arrivals: dict[str, float], rates: list[Limit], now: float) -> tuple[float, dict[str, float]]:
        match next(asked):
            case 1:  # of the four that the first thread asks for
                with psycopg.connect(loader_url) as connection:
                    connection.execute(
                        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                        " where datname = current_database() and application_name = 'onefold rate limit'"
                    )
            case 5:  # the next thread's own
                turns.between.set()
                first_is_out.wait(30)
        return reserve(arrivals, rates, now)

    def ask() -> None:
        try:
            given.append(limiter.reserve("register", allowed, 60))
        except Retriable as error:
            failed.append(error)
        finally:
            first_is_out.set()

    monkeypatch.setattr("onefold.http.limit.reserve", cut)
    monkeypatch.setattr(limiter, "_lock", turns)
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    limiter.close()
    assert not any(thread.is_alive() for thread in threads)
    assert (len(failed), given) == (1, [0, 0, 0])
    another = WarehouseLimiter(loader_url)
    assert another.reserve("register", allowed, 60) is None, "each of the three has one place, and nobody else has any"
    another.close()


def test_threads_that_ask_about_two_systems_at_once_get_one_place_each(loader_url: str) -> None:
    limiter, allowed, gate = WarehouseLimiter(loader_url), [rate("100/day@Europe/Warsaw")], threading.Barrier(8)
    given: list[float | None] = []

    def ask(system: str) -> None:
        for _ in range(25):
            gate.wait(30)
            given.append(limiter.reserve(system, allowed, 60))

    threads = [threading.Thread(target=ask, args=(system,)) for system in ["register", "tax"] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert given == [0] * 200
    assert [limiter.reserve(system, allowed, 60) for system in ("register", "tax")] == [None, None]
    limiter.close()
