"""A plan that waits for a person holds nothing else back, and does not wait for ever."""

from __future__ import annotations

import pytest

from onefold.errors import Fatal
from onefold.write_back.plan_ledger import Plan, get_plan
from onefold.write_back.waiting import MOST_WAITING
from tests.approvals import answer
from tests.conform.world import record
from tests.write_back.test_plan_and_execute import retained
from tests.write_back.world import Outward, a_run, target

ASKS = {"objects.partner.fields.nazwa": {"attribute": "legal_name", "rule": "ask"}}


def _conform(outward: Outward, *numbers: int, name: str = "Firm") -> None:
    outward.conform(*(record("crm", f"c{at}", tax_id_pl=f"{at:010}", legal_name=name) for at in numbers))


def _now(outward: Outward, plan: Plan) -> tuple[str, str | None]:
    found = get_plan(outward.world.connection, plan.plan_id)
    return found.state, found.reason


def _names(outward: Outward) -> list[str]:
    return [row["nazwa"] for row in outward.table()]


def test_one_record_about_which_a_person_is_asked_holds_no_other_back(outward: Outward) -> None:
    outward.target = target(approval={"above": 10}, **ASKS)
    outward.sql("insert into klienci (nazwa, nip) values ('Theirs', '0000000000')")
    _conform(outward, 0, 1, 2)
    outward.run()
    assert _names(outward) == ["Theirs", "Firm", "Firm"]
    (waiting,) = outward.write_back().waiting()
    assert (waiting.counts["update"], waiting.writes) == (1, 1)
    answer(outward.world.url, waiting.subject, "ewa", approved=True)
    outward.run()
    assert _names(outward) == ["Firm"] * 3
    assert outward.states() == {"confirmed": 3}


def test_what_cannot_be_written_is_refused_at_once_although_the_rest_waits_for_an_approval(outward: Outward) -> None:
    outward.target = target(approval="always", **{"objects.partner.characters": {"encoding": "cp1250"}})
    outward.conform(
        record("crm", "c0", tax_id_pl="0", legal_name="Firm"), record("crm", "c1", tax_id_pl="1", legal_name="😀")
    )
    outward.run()
    assert outward.states() == {"intended": 1, "refused": 1}
    assert "U+1F600" in outward.reasons()[0]


def test_what_comes_later_is_planned_while_an_older_plan_waits_and_each_is_approved_by_itself(
    outward: Outward,
) -> None:
    outward.target = target(approval="always")
    _conform(outward, 0)
    first = outward.plan()
    assert outward.plan() is None, "the same is not asked twice"
    _conform(outward, 1)
    second = outward.plan()
    assert [plan.plan_id for plan in outward.write_back().waiting()] == [first.plan_id, second.plan_id]
    answer(outward.world.url, second.subject, "ewa", approved=True)
    outward.run()
    assert [row["nip"] for row in outward.table()] == ["0000000001"]
    answer(outward.world.url, first.subject, "ewa", approved=True)
    outward.run()
    assert len(outward.table()) == 2


def test_a_waiting_plan_is_superseded_by_newer_versions_and_a_new_one_takes_its_place(outward: Outward) -> None:
    outward.target = target(approval="always")
    _conform(outward, 0, 1)
    first = outward.plan()
    _conform(outward, 1, name="Newer")
    second = outward.plan()
    assert _now(outward, first) == ("superseded", "newer versions of 1 of its records are intended")
    assert outward.rows(first) == [], "its values are gone"
    with pytest.raises(Fatal, match="Nothing was changed"):
        answer(outward.world.url, first.subject, "ewa", approved=True)
    answer(outward.world.url, second.subject, "ewa", approved=True)
    outward.run()
    assert _names(outward) == ["Firm", "Newer"]


def test_a_waiting_plan_is_superseded_when_the_targets_file_was_changed(outward: Outward) -> None:
    outward.target = target(approval="always")
    _conform(outward, 0)
    first = outward.plan()
    outward.target = target(approval="always", title="Another")
    second = outward.plan()
    assert _now(outward, first) == ("superseded", "catalog/targets/erp.yaml was changed")
    assert second.counts["create"] == 1


def test_an_approved_plan_is_executed_though_one_of_its_records_has_a_newer_version(outward: Outward) -> None:
    outward.target = target(approval="always")
    _conform(outward, 0, 1)
    first = outward.plan()
    answer(outward.world.url, first.subject, "ewa", approved=True)
    _conform(outward, 1, name="Newer")
    outward.run()
    assert _now(outward, first) == ("executed", None)
    assert _names(outward) == ["Firm"], "the newer version is asked about by itself"
    assert [plan.writes for plan in outward.write_back().waiting()] == [1]


def test_a_plan_that_nobody_answers_expires_and_its_values_go(outward: Outward) -> None:
    outward.target = target(approval="always")
    _conform(outward, 0)
    first = outward.plan()
    outward.world.connection.execute("update ops.write_back_plan set created_at = now() - interval '15 days'")
    second = outward.plan()
    assert _now(outward, first) == ("expired", "nobody answered within 14 days")
    assert outward.rows(first) == []
    assert second.counts["create"] == 1, "it is asked again, with what is known now"


def test_retention_ends_a_plan_that_waits_where_no_run_does(outward: Outward) -> None:
    outward.target = target(approval="always")
    _conform(outward, 0)
    plan = outward.plan()
    assert retained(outward.world.connection, days=29)["ops.write_back_plan_row"] == 0
    assert retained(outward.world.connection, days=31)["ops.write_back_plan_row"] == 1
    assert _now(outward, plan)[0] == "expired"
    assert not any(value for row in outward.rows(plan) for value in row.after.values())


def test_a_plan_that_was_turned_down_is_not_asked_again_until_somebody_replays_it_or_the_record_changes(
    outward: Outward,
) -> None:
    outward.target = target(approval="always")
    _conform(outward, 0, 1)
    plan = outward.plan()
    answer(outward.world.url, plan.subject, "ewa", approved=False)
    assert outward.plan() is None
    assert _now(outward, plan) == ("turned_down", "somebody has turned it down")
    assert outward.states() == {"refused": 2}
    assert f"plan {plan.plan_id} was turned down" in outward.reasons()[0]
    _conform(outward, 1, name="Newer")
    assert outward.plan().counts["create"] == 1
    outward.write_back().replay(a_run())
    assert sum(each.writes for each in [outward.plan(), *outward.write_back().waiting()][1:]) == 2


def test_several_plans_that_nobody_answers_become_one(outward: Outward) -> None:
    outward.target = target(approval="always")
    for at in range(MOST_WAITING + 1):
        _conform(outward, at)
        outward.plan()
    (waiting,) = outward.write_back().waiting()
    assert waiting.writes == MOST_WAITING + 1


def test_a_plan_left_behind_by_a_process_that_has_ended_is_made_anew(outward: Outward) -> None:
    _conform(outward, 0)
    left = outward.plan()
    outward.world.connection.execute("update ops.write_back_plan set state = 'planning'")
    outward.run()
    assert _now(outward, left)[0] == "superseded"
    assert len(outward.table()) == 1
