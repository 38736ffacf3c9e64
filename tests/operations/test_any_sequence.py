"""Sync, backfill, migration, rollback, replay and retention, in any sequence: what is left is what the truth says."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.audit import entries_from_database, verify
from onefold.load import gate_step
from onefold.rollback import late_readings, lifecycle
from onefold.warehouse.connection import connect
from tests.effort import TORTURE
from tests.operations.drains import DrainWorld
from tests.operations.judging import judged_by_credit
from tests.operations.truth import alive
from tests.operations.world import EVERYTHING, World
from tests.retention.conftest import Warehouse, said

EXAMPLES = 500 if TORTURE else 6
DRAINS = 500 if TORTURE else 5
LONG = 45
"""Minutes of the source's clock within which windows of the past lie: about as long as a sequence lasts."""


@dataclass(frozen=True)
class Change:
    """The source's clock goes on, and it changes, adds or deletes a record, perhaps stamped a little late."""

    key: str
    credit: int
    minutes: int = 1
    late: int = 0
    deleted: bool = False


@dataclass(frozen=True)
class Vanish:
    """The source deletes a record and says nothing of it."""

    key: str


@dataclass(frozen=True)
class Sweep:
    """The source's keys are listed, and what it no longer has is deleted."""


@dataclass(frozen=True)
class FixSuite:
    """From now on the gate refuses less credit than this."""

    least_credit: int


@dataclass(frozen=True)
class Sync:
    """The scheduled run: it goes on from what is published."""


@dataclass(frozen=True)
class Backfill:
    """A window of the past, by minutes."""

    start: int
    end: int


@dataclass(frozen=True)
class DryRun:
    """A migration of a window, as far as its approval."""

    start: int
    end: int
    chunks: int = 1


@dataclass(frozen=True)
class Decide:
    """The migration that waits is approved and published, or turned down."""

    approved: bool = True


@dataclass(frozen=True)
class Rollback:
    """Of loads, counted from the oldest that is published; or of all loads of their runs."""

    picks: tuple[int, ...]
    whole_runs: bool = False
    approved: bool = True


@dataclass(frozen=True)
class Undo:
    """Of a rollback, counted from the oldest that is done."""

    pick: int = 0


@dataclass(frozen=True)
class Replay:
    """Of all that waits in quarantine."""


@dataclass(frozen=True)
class Retain:
    """So many of the oldest loads become final, and retention runs; of what waits for a repair nothing is due."""

    loads: int


Step = Change | Vanish | Sweep | FixSuite | Sync | Backfill | DryRun | Decide | Rollback | Undo | Replay | Retain


def do(world: World, warehouse: Warehouse, step: Step) -> None:
    """One step, in the warehouse and in the truth."""
    match step:
        case Change(key, credit, minutes, late_by, deleted):
            world.clock += minutes
            world.change(key, credit, late_by, deleted=deleted)
        case Vanish(key):
            world.vanish(key)
        case Sweep():
            world.sweep()
        case FixSuite(least_credit):
            world.suite(least_credit)
        case Sync():
            world.sync()
        case Backfill(start, end):
            world.backfill(start, end)
        case DryRun(start, end, chunks):
            world.dry_run(start, end, chunks)
        case Decide(approved):
            world.decide(approved=approved)
        case Rollback(picks, whole_runs, approved):
            world.roll_back(picks, whole_runs=whole_runs, approved=approved)
        case Undo(pick):
            world.undo(pick)
        case Replay():
            world.replay()
        case Retain(loads):
            world.retain(warehouse, loads)


def leaves_what_the_truth_says(world: World, warehouse: Warehouse, sequence: list[Step]) -> None:
    """After each step all is as it must be; and in the end nothing of the source is missing that was not named so."""
    with closing(world):
        for step in sequence:
            do(world, warehouse, step)
            world.compare()
        world.bring_all()
        world.compare()
        assert world.seen.current() == alive(world.source)


@pytest.fixture
def world(loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    """Worlds of their own stream, all in one warehouse, whose audit chain must be whole in the end."""
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    for module in (gate_step, late_readings):
        monkeypatch.setattr(module, "evaluate_suite", judged_by_credit)
    gate_late = functools.partial(lifecycle.gate_late_readings, suites=tmp_path)
    monkeypatch.setattr(lifecycle, "gate_late_readings", gate_late)
    yield lambda kind=World, **more: kind(loader_url, tmp_path, **more)
    with connect(loader_url) as connection:
        assert verify(entries_from_database(connection)).ok


@pytest.fixture
def warehouse(warehouse_url: str, loader_url: str) -> Warehouse:
    """Where time passes; what waits in quarantine is kept, since the truth is asked for it."""
    return Warehouse(warehouse_url, loader_url, said(waiting="P9Y"))


SEQUENCES = {
    "a replay's row that is refused again stays its own when another load goes": [
        *(Change("a", 1), Sync(), Change("a", -1), Sync(), FixSuite(1), Replay(), Rollback((0,))),
    ],
    "a replay that refused again is rolled back and undone": [
        *(Change("a", -1), Sync(), Replay(), Rollback((1,)), Undo(), Rollback((0,))),
    ],
    "a row that a replay chose outlives an undoing that makes it needless": [
        *(Change("a", -1), Sync(), Sync(), Rollback((0,)), FixSuite(EVERYTHING), Replay(), Undo()),
        *(Rollback((0,)), Undo(), Rollback((1,))),
    ],
    "a replay is not taken in again without the load whose row it judged": [
        *(Change("a", -1), Sync(), FixSuite(EVERYTHING), Replay(), Rollback((1,)), Rollback((0,)), Undo()),
    ],
    "an older reading of the same minute leaves a newer one waiting": [
        *(Change("b", 1), Sync(), Change("a", 1), DryRun(0, 60), Change("a", -1, 0), Sync(), Decide()),
        *(Rollback((0,)), Undo()),
    ],
    "an older refused reading never takes the place of a newer one": [
        *(Change("b", 1), Sync(), Change("a", -1), DryRun(0, 60), Change("a", 0, 12), FixSuite(1), Sync(), Decide()),
        *(Change("b", 1, 30), Sync(), Rollback((0,)), Undo()),
    ],
    "a backfill within the look-back leaves what is stamped late to the next run": [
        *(Change("a", 1, 20), Sync(), Change("b", 1, 1, 3), Change("c", 1, 20), Backfill(20, 60)),
    ],
    "undoing names the windows that then stay missing": [
        *(Change("a", 1), Sync(), Change("b", 1, 12), Sync(), Change("c", 1, 12), Sync(), Change("a", 2, 12), Sync()),
        *(Change("b", 2, 12), Sync(), Rollback((4,)), Rollback((2, 3)), Undo()),
    ],
    "what a sweep deleted stays deleted when the load that brought it goes, and comes back with it": [
        *(Change("a", 1), Sync(), Change("b", 1), Sync(), Vanish("a"), Sweep(), Rollback((0,)), Undo()),
        *(Rollback((2,)), Change("a", 1, 2), Sync(), Undo(), Sweep(), Vanish("b"), Retain(1), Sweep()),
    ],
    "retention between a rollback, its undoing, a replay and a migration takes only what is final": [
        *(Change("a", 1), Sync(), Change("a", 2), Change("b", -1), Sync(), Change("a", 2, deleted=True), Sync()),
        *(Change("c", 1), Sync(), Rollback((3,)), Retain(2), Undo(), FixSuite(EVERYTHING), DryRun(0, 60), Replay()),
        *(Retain(3), Decide(), Rollback((0,)), Retain(0), Undo(), Backfill(0, 60), Retain(9), Change("a", 3), Sync()),
    ],
}
"""What this test, or writing it, has found wrong once; the last, how retention comes between."""


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
def test_what_has_gone_wrong_once(world: Callable[..., World], warehouse: Warehouse, sequence: list[Step]) -> None:
    leaves_what_the_truth_says(world(), warehouse, sequence)


@st.composite
def windows(draw: st.DrawFn) -> tuple[int, int]:
    """[start, end) within the hour that the source has."""
    start = draw(st.integers(0, LONG - 1))
    return start, draw(st.sampled_from([start + 5, start + 15, LONG + 1]))


CHANGES = st.builds(
    Change,
    st.sampled_from("aab"),
    st.sampled_from([-1, -1, 0, 1]),
    st.sampled_from([0, 1, 2, 5, 12]),
    st.sampled_from([0, 0, 0, 1, 3]),
    st.sampled_from([False, False, False, True]),
)
DRAIN_STEPS = (
    CHANGES,
    CHANGES,
    CHANGES,
    st.builds(Sync),
    st.builds(Sync),
    st.builds(Vanish, st.sampled_from("ab")),
    st.builds(Sweep),
    st.builds(FixSuite, st.sampled_from([EVERYTHING, 0, 1])),
    st.builds(
        Rollback,
        st.lists(st.integers(0, 6), min_size=1, max_size=2, unique=True).map(tuple),
        st.booleans(),
        st.sampled_from([True, True, True, False]),
    ),
    st.builds(Undo, st.integers(0, 2)),
    st.builds(Replay),
    st.builds(Replay),
    st.builds(Retain, st.integers(0, 4)),
)
"""Those that a stream has which is read from a log: it cannot be asked about a window of the past."""
STEPS = st.one_of(
    *DRAIN_STEPS,
    windows().map(lambda window: Backfill(*window)),
    st.tuples(windows(), st.integers(1, 2)).map(lambda drawn: DryRun(*drawn[0], drawn[1])),
    st.builds(Decide, st.sampled_from([True, True, False])),
)


@pytest.mark.timeout(3600)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(sequence=st.lists(STEPS, min_size=3, max_size=16), by_class=st.booleans())
def test_any_sequence_of_the_operations_leaves_what_the_truth_says(
    world: Callable[..., World], warehouse: Warehouse, sequence: list[Step], by_class: bool
) -> None:
    leaves_what_the_truth_says(world(by_class=by_class), warehouse, sequence)


@pytest.mark.timeout(3600)
@settings(max_examples=DRAINS, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(sequence=st.lists(st.one_of(*DRAIN_STEPS), min_size=3, max_size=16), by_class=st.booleans())
def test_any_sequence_of_the_operations_of_drains_leaves_what_the_truth_says(
    world: Callable[..., World], warehouse: Warehouse, sequence: list[Step], by_class: bool
) -> None:
    leaves_what_the_truth_says(world(DrainWorld, by_class=by_class), warehouse, sequence)
