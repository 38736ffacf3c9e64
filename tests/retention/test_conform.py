"""Conform gives the same golden records, under the same ids, whether past ones were kept or not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from onefold.retention.golden import golden_purges
from tests.conform.world import PARTNER, STREAMS, Record, World, record
from tests.effort import TORTURE
from tests.retention.conftest import SAID

STEPS = [
    [record("erp", "z", krs="3", legal_name="First")],
    [record("crm", "a", tax_id_pl="1"), record("crm", "b", tax_id_pl="1")],
    [record("crm", "a", tax_id_pl="1", legal_name="Second"), record("erp", "z", krs="3", legal_name="Third")],
    [record("court", "j", tax_id_pl="1", krs="3")],
    [record("crm", "a", tax_id_pl="2")],
    [record("crm", "a", tax_id_pl="1")],
    [record("erp", "z", krs="3", deleted=True)],
    [record("erp", "z", krs="3", legal_name="Back")],
    [record("crm", "a", tax_id_pl="4")],
]
"""Ids merge by their age, part, come back, and are founded again: each asks the past."""


@pytest.fixture
def partners(warehouse_url: str, loader_url: str) -> Iterator[World]:
    made = World(warehouse_url, loader_url)
    yield made
    made.close()


def golden(world: World) -> list[tuple]:
    return world.connection.execute(
        "select x.record, x.partner_id, g.legal_name, g.tax_id_pl, g.krs, g.systems from conformed.partner_crosswalk x"
        " join conformed.partner g using (partner_id) order by 1"
    ).fetchall()


def purge(world: World) -> int:
    """Every publish but the visible one is past its time."""
    world.connection.execute("update ops.publish set ended_at = ended_at - interval '9 days'")
    found = 0
    periods = SAID.periods(["contact"])
    for each in golden_purges(world.connection, PARTNER, periods, datetime.now(UTC) - timedelta(days=1)):
        while rows := each.delete_batch(world.connection):
            found += rows
    return found


def is_the_same_without_a_past(world: World, steps: list[list[Record]]) -> None:
    kept = []
    for step in steps:
        world.conform(*step)
        kept.append(golden(world))
    world.empty()
    purged = 0
    for step, expected in zip(steps, kept, strict=True):
        world.conform(*step)
        assert golden(world) == expected
        purged += purge(world)
        assert golden(world) == expected
    assert purged > 2


def random_steps(seed: int) -> list[list[Record]]:
    chosen = random.Random(seed)
    return [
        [
            record(
                system,
                chosen.choice("abc"),
                deleted=chosen.random() < 0.15,
                tax_id_pl=chosen.choice(("1", "2", "")),
                krs=chosen.choice(("3", "4", "")),
                legal_name=chosen.choice(("Alfa", "Beta")),
            )
            for system in chosen.sample(sorted(STREAMS), chosen.randint(1, 3))
        ]
        for _ in range(12)
    ]


EXAMPLES = [STEPS, *map(random_steps, range(60))] if TORTURE else [STEPS[1:6]]


@pytest.mark.parametrize("steps", EXAMPLES, ids=lambda steps: str(len(steps)))
def test_merged_parted_and_returned_ids_are_the_same(partners: World, steps: list[list[Record]]) -> None:
    is_the_same_without_a_past(partners, steps)
