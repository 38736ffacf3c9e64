"""Precision and recall, where the truth is known."""

import pytest

from onefold.conform.resolution_quality import pairwise_quality
from tests.conform.world import World, record


def test_precision_and_recall_over_pairs_of_records(world: World):
    world.conform(
        *(record("crm", key, tax_id_pl="1") for key in "abc"),
        record("crm", "d", tax_id_pl="2"),
        record("crm", "e", tax_id_pl="3"),
    )
    # Joined: ab, ac, bc. True: ab, de, and one pair with a record that never came.
    truth = {"a": "X", "b": "X", "c": "Y", "d": "Z", "e": "Z", "gone": "X"}
    found = pairwise_quality(
        world.connection, [("crm", "account", key, company) for key, company in truth.items()], "partner"
    )
    assert found.precision == pytest.approx(1 / 3)
    assert found.recall == pytest.approx(1 / 2)
    assert (found.records, found.missing, found.companies) == (5, 1, 3)


def test_nothing_to_judge_is_not_wrong(world: World):
    found = pairwise_quality(world.connection, [], "partner")
    assert (found.precision, found.recall, found.records) == (1.0, 1.0, 0)
