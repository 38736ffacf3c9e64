"""A delivery that dies anywhere shows nothing of itself, and the next one delivers the same."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from onefold.deliver.audit_and_lineage import record_delivery
from onefold.deliver.run import verify
from onefold.deliver.target import Target
from onefold.errors import Retriable
from onefold.platform.postgres import Postgres
from tests.databases import copy_database, drop_database
from tests.deliver.crashing import CUSTOMERS, deliver_and_die, read, read_on, target_at
from tests.deliver.world import ENTITIES, RUN, World
from tests.effort import TORTURE
from tests.kills import count_kill

POINTS = 500 if TORTURE else 6
READERS = 4 if TORTURE else 2


@pytest.fixture(params=["duckdb", "postgres"])
def there(request: pytest.FixtureRequest, postgres: Postgres, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Kind and address of a target."""
    if request.param == "duckdb":
        yield "duckdb", str(tmp_path / "here.duckdb")
        return
    name = copy_database(postgres, "template1", "other")
    yield "postgres", postgres.url(name)
    drop_database(postgres, name)


def publish(world: World, tag: str) -> None:
    """Every golden record gets the tag, so a set of two publishes has two tags."""
    customers = {number: {"status": tag} for number in range(CUSTOMERS)}
    world.publish({"customer": customers, "contact": {number: {"contact_key": tag} for number in range(3)}})


def deliver_once_the_lock_is_free(world: World, target: Target) -> None:
    """PostgreSQL notices a moment later that the session of a process that was killed is gone; Airflow tries again."""
    for _ in range(100):
        try:
            world.deliver(target)
        except Retriable:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the lock of the delivery that died was never free")


@contextmanager
def readers(processes: ForkServerContext, kind: str, address: str) -> Iterator[None]:
    """Readers beside what is done within; no answer of theirs may be a mixture."""
    stop, reads, mixtures = processes.Event(), processes.Value("i", 0), processes.Value("i", 0)
    started = [
        processes.Process(target=read_on, args=(kind, address, stop, reads, mixtures), daemon=True)
        for _ in range(READERS)
    ]
    for each in started:
        each.start()
    yield
    stop.set()
    for each in started:
        each.join(60)
    assert [each.exitcode for each in started] == [0] * READERS
    assert reads.value > READERS and mixtures.value == 0


def test_no_crash_point_shows_a_mixture_of_two_publishes_to_any_reader(world: World, there: tuple[str, str]) -> None:
    kind, address = there
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.deliver.crashing"])
    world.mart("by_status", "select status, count(*) as customers from conformed.customer group by status")
    target = target_at(kind, address)
    publish(world, "a")
    world.publish({"customer": {99: {"status": "gone"}}})
    world.publish({"customer": {99: None}})
    publish(world, "b")
    world.deliver(target)
    publish(world, "c")
    calls = processes.Value("i", 0)

    def die_at(call: int) -> int | None:
        child = processes.Process(target=deliver_and_die, args=(world.url, kind, address, call, calls))
        child.start()
        child.join(120)
        return child.exitcode

    assert die_at(-1) == 0 and calls.value > 40
    with readers(processes, kind, address):
        for point in range(POINTS):
            tag = f"t{point}"
            publish(world, tag)
            if die_at(1 + (point * calls.value // POINTS if not TORTURE else point % calls.value)) == 9:
                count_kill("delivery", "process")
            deliver_once_the_lock_is_free(world, target)
            assert read(kind, address)[0] == tag + tag
    assert verify(world.loader, target, world.target_file("duckdb"), ENTITIES, RUN, recorded=record_delivery)[1] == []
    left = world.owner.execute("select count(*) from ops.delivery where state = 'running'").fetchone()
    assert left == (0,)
