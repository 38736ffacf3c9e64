"""A task `plan` that died after its commit, or was cleared, goes on with the rollback that it has recorded."""

from __future__ import annotations

import pytest

from onefold.catalog.reader import Catalog
from onefold.errors import Fatal
from onefold.load.ledger import Run
from onefold.rollback.lifecycle import execute_rollback, plan_rollback
from onefold.rollback.request import RollbackRequest
from tests.approvals import asked, record_decision
from tests.load.shop import SHOP, Shop, record

CATALOG = Catalog(systems={"shop": SHOP}, entities={})
ACTOR = "airflow:by:engineer/rollback/manual__1"
ROWS = "select rollback_id, loads, state from ops.rollback order by 1"
QUESTIONS = "select subject from ops.approval order by approval_id"


def planned(shop: Shop, *loads: int) -> int | None:
    request = RollbackRequest(loads, reason="wrong prices")
    return plan_rollback(shop.url, CATALOG, request, Run("rollback", "manual__1", ACTOR)).rollback_id


def test_a_plan_that_is_tried_again_is_one_rollback_and_one_question(shop: Shop) -> None:
    load = shop.load([record("a", 1)])
    number = planned(shop, load.load_id)
    assert planned(shop, load.load_id) == number
    record_decision(shop.url, number, "approver", approved=True)
    assert planned(shop, load.load_id) == number  # cleared after the approval: the plan is the one that was approved
    assert asked(shop.url, f"rollback:{number}").decision == "approved"
    assert shop.query(ROWS) == [(number, [load.load_id], "planned")]
    assert shop.query(QUESTIONS) == [(f"rollback:{number}",)]
    execute_rollback(shop.url, CATALOG, number, ACTOR)
    assert shop.current() == {}


def test_a_plan_that_has_become_another_one_is_asked_anew_under_its_number(shop: Shop) -> None:
    load = shop.load([record("a", 1), record("b", 1)])
    number = planned(shop, load.load_id)
    record_decision(shop.url, number, "approver", approved=True)
    shop.load([record("a", 2, credit=5)])
    assert planned(shop, load.load_id) == number
    assert shop.query(QUESTIONS) == [(f"rollback:{number}",)] * 2
    with pytest.raises(Fatal, match="is not approved"):
        execute_rollback(shop.url, CATALOG, number, ACTOR)
    record_decision(shop.url, number, "approver", approved=True)
    execute_rollback(shop.url, CATALOG, number, ACTOR)
    assert set(shop.current()) == {"a"}


def test_a_plan_that_was_turned_down_is_another_rollback(shop: Shop) -> None:
    load = shop.load([record("a", 1)])
    number = planned(shop, load.load_id)
    record_decision(shop.url, number, "approver", approved=False)
    again = planned(shop, load.load_id)
    assert shop.query(ROWS) == [(number, [load.load_id], "refused"), (again, [load.load_id], "planned")]
