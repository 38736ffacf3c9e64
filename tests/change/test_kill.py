"""A plan or an apply whose process is killed at any moment, and run again, ends as if nothing had been."""

from __future__ import annotations

import random

import pytest

from onefold.audit import entries_from_database, verify
from onefold.change.ledger import Plan
from tests.change.files import attribute
from tests.change.world import Firms
from tests.doomed import Doomed, wait_until_its_sessions_are_gone
from tests.kills import count_kill

KILLS = 40


def _edit(firms: Firms, number: int) -> None:
    """Each time another: an attribute comes, is of another type, and goes; its transform changes along."""
    attributes = firms.files.entity["attributes"]
    kind = ("text", "numeric")[number % 2]
    attributes["credit"] = attribute(kind, field="limit", of="crm erp", type=kind)
    if number % 3 == 2:
        attributes.pop("note", None)
    else:
        attributes["note"] = attribute(("text", "words", "city")[number % 3], field="note", of="crm")


@pytest.mark.torture
def test_a_plan_and_an_apply_that_are_killed_at_any_moment_and_run_again_end_as_planned(firms: Firms) -> None:
    chance, hits, number = random.Random(20261129), 0, 0
    while hits < KILLS:
        number += 1
        _edit(firms, number)
        before = firms.golden()
        hits += Doomed(firms.plan).kill_after(chance.uniform(0, 1.5))
        wait_until_its_sessions_are_gone(firms.url, firms.connection)
        assert firms.golden() == before
        plan = firms.plan()
        planned = _planned(firms, plan)
        hit = Doomed(lambda plan=plan: firms.apply(plan)).kill_after(chance.uniform(0, 1.5))
        wait_until_its_sessions_are_gone(firms.url, firms.connection)
        if hit:
            hits += 1
            count_kill("conform", "process")
        if firms.query("select state from ops.plan where plan_id = %s", plan.plan_id) == [("planned",)]:
            assert {i: row["_hash"] for i, row in firms.golden().items()} == {i: r["_hash"] for i, r in before.items()}
            firms.apply(plan)
        after = firms.golden()
        assert planned == {(i, row["_hash"]) for i, row in after.items() if row["_hash"] != before[i]["_hash"]}
        (anew,) = firms.everything_anew().entities
        assert (anew.new, anew.changed, anew.merged, anew.ended) == (0, 0, 0, 0)
    assert verify(entries_from_database(firms.connection)).ok


def _planned(firms: Firms, plan: Plan) -> set[tuple[str, str]]:
    return set(
        firms.query(
            "select golden_id::text, digest from ops.plan_record where publish_id = %s", plan.dry_run_publish_id
        )
    )
