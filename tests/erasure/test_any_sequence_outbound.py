"""Publishes, deliveries and write-backs among the other operations, in any sequence, with crashes and lost answers.

What is delivered is what was published; what is written is what was intended, once; and erased persons are nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.erasure import lifecycle as erasures
from onefold.platform.postgres import Postgres
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database
from tests.effort import TORTURE
from tests.erasure.outbound import OutboundWorld
from tests.erasure.test_any_sequence import Erase, has_nothing_of_the_erased, worlds
from tests.operations import test_any_sequence as operations
from tests.retention.conftest import Warehouse, said

EXAMPLES, LONGEST = (500, 12) if TORTURE else (3, 5)
_databases = count(1)


@dataclass(frozen=True)
class Publish:
    """Conform: golden records are published."""


@dataclass(frozen=True)
class Switch:
    """Readers see another publish, counted from the oldest."""

    pick: int


@dataclass(frozen=True)
class Deliver:
    """To the other warehouse; the process is killed at this statement, or never."""

    dies_at: int | None = None


@dataclass(frozen=True)
class Plan:
    """What is to be written is planned, and somebody approves it, or turns it down, or says nothing."""

    approved: bool | None = True


@dataclass(frozen=True)
class Write:
    """The plan is executed; the process is killed at this moment, or never. Of these changes the answer is lost: after
    they were made, or before."""

    dies_at: int | None = None
    lost: tuple[tuple[int, bool], ...] = ()


Outbound = Publish | Switch | Deliver | Plan | Write
Step = operations.Step | Erase | Outbound
Make = Callable[..., OutboundWorld]


@pytest.fixture(scope="module")
def world(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """Worlds of their own stream and entity, each with a warehouse that is delivered to and a register."""
    folder, name = tmp_path_factory.mktemp("outbound"), copy_database(postgres, TEMPLATE)
    others: list[str] = []
    made: list[OutboundWorld] = []

    def other() -> str:
        others.append(copy_database(postgres, "template1", f"there{next(_databases)}"))
        return postgres.url(others[-1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEFOLD_HOME", str(folder / "home"))
        for make in worlds(postgres, postgres.url(name), folder / "suites", patch):

            def make_outbound(*, to_postgres: bool, make: Make = make) -> OutboundWorld:
                made.append(make(OutboundWorld, **({"other": other} if to_postgres else {})))
                return made[-1]

            patch.setattr(erasures, "read_targets", lambda _: {made[-1].target.target: made[-1].target})
            (folder / "suites").mkdir()
            yield make_outbound
            for each in others:  # on a server of their owner's, who vacuums there
                drop_database(postgres, each)
    drop_database(postgres, name)


def do(world: OutboundWorld, warehouse: Warehouse, step: Step) -> None:
    """One step, here, there, and in the register."""
    match step:
        case Publish():
            world.conform()
        case Switch(pick):
            world.switch(pick)
        case Deliver(dies_at):
            world.deliver(dies_at)
        case Plan(approved):
            world.plan()
            if approved is not None:
                world.decide(approved)
        case Write(dies_at, lost):
            world.write(dies_at, dict(lost))
        case Erase(key):
            world.erase(key)
            has_nothing_of_the_erased(world)
        case _:
            operations.do(world, warehouse, step)


def sends_what_it_has_to(world: OutboundWorld, sequence: list[Step]) -> None:
    """After each step what others have is as it must be, and in the end they have all."""
    warehouse = Warehouse(world.owner_url, world.shop.url, said(waiting="P9Y"))
    with closing(world):
        for step in sequence:
            do(world, warehouse, step)
            world.has_sent_what_it_had_to()
        world.bring_all()
        world.go_on()
        world.has_sent_what_it_had_to()
        world.has_reached_everybody()
        has_nothing_of_the_erased(world)


Sync, Change, Rollback, Undo, Replay = (
    *(operations.Sync, operations.Change, operations.Rollback, operations.Undo, operations.Replay),
)
GO = (Publish(), Plan(), Write())
SEQUENCES = {
    "a person who was written is erased, and comes again": [
        *(Change("a", 1), Change("b", 1), Sync(), *GO, Deliver(), Erase("a"), Change("a", 2, 12), Sync(), *GO),
        *(Deliver(), Change("b", 2, 12), Sync(), *GO, Deliver()),
    ],
    "what a publish has written is rolled back, and brought again": [
        *(Change("a", 1), Sync(), *GO, Deliver(), Change("a", 2, 12), Sync(), *GO, Deliver(), Rollback((1,)), *GO),
        *(Deliver(), Undo(), *GO, Deliver()),
    ],
    "what is planned ends before it is written, and comes again as it was": [
        *(Change("a", 1), Sync(), Publish(), Plan(), Rollback((0,)), Publish(), Write(), *GO, Undo(), *GO),
    ],
    "answers are lost, of what was written and of what was not": [
        *(Change("a", 1), Change("b", 1), Sync(), Publish(), Plan(), Write(None, ((1, True), (2, False))), *GO),
        *(Change("a", 2, 12), Sync(), Publish(), Plan(), Write(3), Plan(), Write(2), *GO),
    ],
    "a delivery dies at many statements, and readers are switched back between": [
        *(Change("a", 1), Sync(), Publish(), Deliver(), Change("a", 2, 12), Sync(), Publish()),
        *(Deliver(at) for at in range(5, 120, 3 if TORTURE else 35)),
        *(Switch(0), Deliver(30), Deliver(), Switch(1), Deliver()),
    ],
}


FIXED = [
    pytest.param(sequence, to_postgres, id=f"{name}-{'postgres' if to_postgres else 'duckdb'}")
    for number, (name, sequence) in enumerate(SEQUENCES.items())
    for to_postgres in (True, False)
    if TORTURE or to_postgres == (number % 2 == 0)
]


@pytest.mark.parametrize(("sequence", "to_postgres"), FIXED)
def test_what_goes_out_among_other_operations(world: Make, sequence: list[Step], to_postgres: bool) -> None:
    there = world(to_postgres=to_postgres)
    sends_what_it_has_to(there, sequence)
    assert there.register.written


DELIVERIES = st.builds(Deliver, st.one_of(st.none(), st.integers(1, 120)))
WRITES = st.builds(
    Write,
    st.one_of(st.none(), st.integers(1, 8)),
    st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=2).map(tuple),
)
ERASURES = st.builds(Erase, st.sampled_from("aab"))
STEPS = st.one_of(
    operations.CHANGES,
    operations.CHANGES,
    operations.STEPS,
    st.builds(Sync),
    ERASURES,
    st.builds(Publish),
    st.builds(Switch, st.integers(0, 5)),
    DELIVERIES,
    st.builds(Plan, st.sampled_from([True, True, True, False, None])),
    WRITES,
)
"""Or what brings something out: by chance alone these steps would seldom follow each other."""
BLOCKS = st.one_of(
    st.tuples(STEPS),
    st.tuples(STEPS),
    st.tuples(operations.CHANGES, st.just(Sync()), st.just(Publish()), st.just(Plan()), WRITES),
    st.tuples(operations.CHANGES, st.just(Sync()), st.just(Publish()), DELIVERIES),
    st.tuples(ERASURES, operations.CHANGES, st.just(Sync()), st.just(Publish())),
)


@pytest.mark.timeout(7200)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(blocks=st.lists(BLOCKS, min_size=3, max_size=LONGEST), to_postgres=st.booleans())
def test_any_sequence_delivers_what_is_published_and_writes_what_is_intended_once(
    world: Make, blocks: list[tuple[Step, ...]], to_postgres: bool
) -> None:
    sends_what_it_has_to(world(to_postgres=to_postgres), [step for block in blocks for step in block])
