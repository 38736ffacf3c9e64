"""Whatever kills an erasure, and whenever: tried again, it ends as if nothing had been, and nothing is left.

Killed are the process, at each kind of order that it gives to PostgreSQL and before each file that it touches, and
PostgreSQL, once a phase.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator

import pytest

from onefold.audit import entries_from_database, verify
from onefold.warehouse.connection import connect
from tests.effort import TORTURE
from tests.erasure.world import ErasureWorld, Warehouse
from tests.kills import count_kill
from tests.torture.loader import Forked, said_of
from tests.torture.wire import Moment, Order, Wire

PHASES = {
    "the search": b"select ctid",
    "the register": b"insert into ops.suppression",
    "the first row": b"update only",
    "the end of the transaction": b"update ops.erasure set state = 'executing'",
    "the writing anew": b"vacuum (full, analyze) only",
    "the statistics": b"vacuum (full) pg_catalog",
    "the log": b"select pg_switch_wal",
    "the end": b"update ops.erasure set state = $1",
}
"""Of what PostgreSQL is asked to do, by how the order begins."""


@pytest.fixture(scope="module")
def kills() -> Iterator[list[str]]:
    """Every kill; how many there were is printed at the end."""
    killed: list[str] = []
    yield killed
    print(f"\n{len(killed)} erasures were killed, and ended as if undisturbed: {', '.join(killed)}")
    assert len(killed) >= 40 or not TORTURE


@pytest.fixture(scope="module")
def wire(erasure_world: ErasureWorld) -> Iterator[Wire]:
    wire = Wire(erasure_world.server.port)
    yield wire
    wire.close()


@pytest.fixture(scope="module")
def orders(erasure_world: ErasureWorld, wire: Wire) -> list[Order]:
    """What an undisturbed erasure orders."""
    with erasure_world.warehouse() as copy:
        erasing = Forked(lambda _: said_of(lambda: copy.erase(wire.url(copy.loader_url)))).carry(wire)
        assert erasing.end == "done"
        return erasing.orders


def ends_the_same(world: ErasureWorld, copy: Warehouse) -> None:
    """Its task is tried again."""
    copy.wait_until_the_dead_are_gone()
    copy.erase()
    assert copy.seen() == world.undisturbed
    assert copy.traces() == []
    assert list((copy.home / "privacy" / "cases").iterdir()) == []
    with connect(copy.loader_url) as connection:
        assert verify(entries_from_database(connection)).ok


def kill_at(world: ErasureWorld, wire: Wire, moment: Moment) -> None:
    with world.warehouse() as copy:
        erasing = Forked(lambda _: said_of(lambda: copy.erase(wire.url(copy.loader_url))))
        erasing.carry(wire, moment, erasing.kill)
        assert erasing.end == "killed", moment
        ends_the_same(world, copy)


def test_killed_at_any_order_to_postgresql_and_tried_again_it_ends_the_same(
    erasure_world: ErasureWorld, wire: Wire, orders: list[Order], kills: list[str]
) -> None:
    """After one order of each wording, and before every fourth of them: within the transaction as well as outside."""
    kinds: dict[bytes, Order] = {}
    for order in orders:
        kinds.setdefault(_wording(order), order)
    chosen = [Moment(order.number) for order in kinds.values()]
    chosen += [Moment(order.number, "before") for order in list(kinds.values())[::4]]
    if not TORTURE:
        chosen = [Moment(_first(orders, PHASES["the writing anew"]).number)]
    for moment in chosen:
        kill_at(erasure_world, wire, moment)
        count_kill("erasure", "process")
        kills.append(f"{moment.phase} order {moment.number}")


def test_killed_before_any_file_that_it_touches_and_tried_again_it_ends_the_same(
    erasure_world: ErasureWorld, kills: list[str]
) -> None:
    for number in itertools.count(1) if TORTURE else [12]:
        with erasure_world.warehouse() as copy:
            erasing = Forked(lambda _, copy=copy, number=number: _erase_until(copy, number))
            assert erasing.wait()
            if erasing.end == "done":  # it touches fewer files
                break
            assert erasing.end == "killed"
            ends_the_same(erasure_world, copy)
        count_kill("erasure", "process")
        kills.append(f"before file {number}")
    assert any(kill.startswith("before file") for kill in kills)


@pytest.mark.torture
@pytest.mark.parametrize("phase", PHASES)
def test_when_postgresql_is_killed_it_says_so_and_tried_again_it_ends_the_same(
    erasure_world: ErasureWorld, wire: Wire, orders: list[Order], kills: list[str], phase: str
) -> None:
    begins = PHASES[phase]
    for moment in (Moment(_first(orders, begins).number, "within"), Moment(_last(orders, begins).number)):
        with erasure_world.warehouse() as copy:
            erasing = Forked(lambda _: said_of(lambda: copy.erase(wire.url(copy.loader_url))))
            erasing.carry(wire, moment, erasure_world.kill_server)
            erasure_world.server.start()
            assert erasing.end.startswith("Retriable: "), erasing.end
            ends_the_same(erasure_world, copy)
        count_kill("erasure", "server")
        kills.append(f"PostgreSQL in {phase}")


def _erase_until(copy: Warehouse, number: int) -> str:
    """Erase, in this process, which is killed before it touches a file of the home for the number-th time."""
    sys.addaudithook(_killing(str(copy.home), number))
    return said_of(copy.erase)


def _killing(home: str, number: int) -> Callable[[str, tuple[object, ...]], None]:
    touched = 0

    def hook(happens: str, about: tuple[object, ...]) -> None:
        nonlocal touched
        if happens in ("open", "os.rename", "os.remove", "os.link", "os.mkdir") and str(about[0]).startswith(home):
            touched += 1
            if touched == number:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


def _wording(order: Order) -> bytes:
    return order.statement[:11] if order.statement.startswith(b"select ctid") else order.statement[:60]


def _first(orders: list[Order], begins: bytes) -> Order:
    return next(order for order in orders if begins in order.statement)


def _last(orders: list[Order], begins: bytes) -> Order:
    return [order for order in orders if begins in order.statement][-1]
