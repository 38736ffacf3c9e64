"""The made-up world is as awkward as the real one, in ways that are named and counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import sandbox.awkward
from onefold.catalog.reader import read_catalog
from onefold.quality.contract import FEW
from sandbox.awkward import KINDS, Awkward, count
from sandbox.awkward.count import table
from sandbox.stand_ins import STAND_INS
from sandbox.world import World

BOOKS = [book for stand_in in STAND_INS for book in stand_in.books]


@pytest.fixture(scope="module")
def world() -> World:
    return World(200, 7, books=BOOKS)


@pytest.fixture(scope="module")
def counted(world: World) -> Awkward:
    return count(world)


def test_at_least_three_percent_of_all_records_are_ordinary_but_awkward(counted: Awkward) -> None:
    assert counted.share >= 0.03
    assert counted.records > 15_000


def test_every_kind_of_awkward_record_occurs_in_a_small_world(counted: Awkward) -> None:
    assert [name for name, records in counted.by_kind.items() if not records] == []
    assert len(counted.by_kind) == len(KINDS) > 50


def test_what_is_counted_as_awkward_is_a_record_of_the_truth(world: World) -> None:
    listed = {(f"{row['system']}.{row['stream']}", row["key"]) for row in world.truth()["records"]}
    for kind in KINDS:
        if kind.name not in ("key of a page", "half a character"):  # which the truth has without its key
            assert set(kind.found(world)) <= listed, kind.name


@pytest.mark.parametrize("companies", [200, 500])
def test_no_stream_has_so_many_broken_rows_that_its_gate_refuses_the_load(companies: int) -> None:
    rows: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for row in World(companies, 7, books=BOOKS).truth()["records"]:
        name = f"{row['system']}.{row['stream']}"
        rows[name] += 1
        broken[name] += row["broken"] is not None
    limits = {
        f"{name}.{stream}": each.gate.max_quarantined_share
        for name, system in read_catalog().systems.items()
        for stream, each in system.streams.items()
    }
    assert len(limits) > 50
    assert [name for name, limit in limits.items() if broken[name] > max(FEW, rows[name] * limit)] == []


def test_a_world_without_some_systems_is_counted_by_the_others() -> None:
    assert 0 < count(World(60, 7)).awkward < 60


def test_the_kinds_are_listed_with_what_they_are() -> None:
    page = Path(sandbox.awkward.__file__).parent / "README.md"
    assert table() in page.read_text(encoding="utf-8"), "copy what sandbox.awkward.count.table() returns"


def test_awkward_records_are_counted_whatever_has_happened_since() -> None:
    later = World(200, 7, books=BOOKS)
    for _ in range(3):
        later.advance(changes=30, deletions=10, new=12)
    assert count(later).share >= 0.03
