"""Apply does what was planned or nothing: whatever moved, died or differs in between."""

from __future__ import annotations

import psycopg
import pytest

from onefold.audit.approval import Question, decide, question_of_run
from onefold.change import apply as applying
from onefold.change.approval import ask_approval, needs_approval, require_applied, require_approved
from onefold.change.project import read_project
from onefold.change.state import read_state
from onefold.change.text import plan_page
from onefold.conform.publish_ledger import conform_lock
from onefold.conform.visible_publish import switch_visible_publish
from onefold.errors import Fatal, Retriable
from onefold.warehouse.connection import connect
from tests.change.files import attribute
from tests.change.world import ACTOR, SOURCES, Firms
from tests.roles import as_role


def _cut_names(firms: Firms) -> None:
    firms.files.entity["attributes"]["legal_name"]["sources"][SOURCES["crm"]]["transform"] = "text"


def _refused(firms: Firms, plan: object, why: str) -> None:
    before = firms.golden()
    with pytest.raises(Fatal, match=why):
        firms.apply(plan)
    assert firms.golden() == before


def test_what_moved_is_named_and_nothing_is_published(firms: Firms) -> None:
    _cut_names(firms)
    plan = firms.plan()
    kept = firms.files.keep()
    firms.files.suites["firm"]["expectations"].pop()
    firms.files.write()
    _refused(firms, plan, "(?s)expectations/firm.yaml is another one.*Plan again: bin/onefold plan")
    firms.files.come_back(kept)
    load = firms.load("erp", {"9": {"name": "Nova", "nip": "9"}})
    _refused(firms, plan, f"loads came or were rolled back: {load}")
    firms.conform()
    _refused(firms, plan, "publish .* was made")
    again = firms.plan()
    assert again.says.golden == 0, "conform has followed the files already"
    firms.apply(again)
    _refused(firms, again, f"Plan {again.plan_id} is applied: there is nothing to apply")


def test_what_differs_from_the_plan_by_one_golden_record_is_not_published(firms: Firms) -> None:
    _cut_names(firms)
    plan = firms.plan()
    firms.query("update ops.plan_record set digest = 'x' where change = 'changed' returning 1")
    _refused(firms, plan, r"Golden records would be others than plan \d+ says: 1 of firm")
    assert firms.query("select state from ops.plan where plan_id = %s", plan.plan_id) == [("planned",)]
    # What the refused attempt has mapped does not stay: the files are restored, and the next load maps as they say.
    firms.files.entity["attributes"]["legal_name"]["sources"][SOURCES["crm"]]["transform"] = "company_name"
    firms.files.write()
    firms.load("erp", {"1": {"name": "Alfa", "nip": "1", "city": "Kielce"}})
    firms.conform()
    assert "Alfa Sp. z o.o." in {row["legal_name"] for row in firms.golden().values()}


def test_a_second_plan_or_conform_waits_and_a_publish_while_planning_is_noticed(firms: Firms) -> None:
    _cut_names(firms)
    plan = firms.plan()
    with connect(firms.loader, autocommit=True) as other, conform_lock(other):
        with pytest.raises(Retriable, match="Another conform is running"):
            firms.apply(plan)
        with pytest.raises(Retriable, match="Another conform is running"):
            firms.plan()


def test_an_apply_that_dies_half_way_is_run_again_and_can_be_switched_back(firms: Firms) -> None:
    firms.files.entity["attributes"]["note"] = attribute(field="note", of="crm")
    plan = firms.plan()
    before, shown = firms.golden(), read_state(firms.connection).publish_id
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(applying, "_require_as_planned", _die)
        with pytest.raises(ConnectionAbortedError):
            firms.apply(plan)
    assert {id_: row["_hash"] for id_, row in firms.golden().items()} == {i: row["_hash"] for i, row in before.items()}
    report = firms.apply(plan)
    assert {row["note"] for row in firms.golden().values()} == {"two", "three", None}
    assert firms.query("select state, publish_id from ops.plan") == [("applied", report.publish_id)]
    assert firms.query("select count(*) from ops.plan_record") == [(0,)]
    switch_visible_publish(firms.connection, shown, ACTOR)
    assert firms.query("select count(note) from conformed.firm") == [(0,)]


def _die(*_: object) -> None:
    raise ConnectionAbortedError("the process is gone")


def test_another_person_approves_where_the_setting_says_so(firms: Firms) -> None:
    firms.files.entity["attributes"]["email"]["sources"][SOURCES["erp"]]["null_values"] = ["x@alfa.pl"]
    plan = firms.plan()
    assert plan.says.golden == 1
    assert [needs_approval(plan, above) for above in (None, -1, 0, 1)] == [False, True, True, False]
    with connect(firms.loader, autocommit=True) as connection:
        page = plan_page(connection, plan)
        assert "firm.email" in page and "… → …" in page and "alfa.pl" not in page, "personal values are masked"
        with pytest.raises(Fatal, match=f"Plan {plan.plan_id} is not approved"):
            require_approved(connection, plan)
        with connection.transaction():
            ask_approval(connection, plan, "airflow:anna")
        asked = question_of_run(connection, "plan", f"plan__{plan.plan_id}")
        with connect(as_role(firms.url, "onefold_approvals"), autocommit=True) as deciding:
            with pytest.raises(Fatal, match="must be approved by somebody else"):
                decide(
                    deciding,
                    asked.approval_id,
                    approved=True,
                    by="airflow:anna",
                    started_by="airflow:anna",
                    shown=asked.plan,
                )
            decide(
                deciding,
                asked.approval_id,
                approved=True,
                by="airflow:ola",
                started_by="airflow:anna",
                shown=asked.plan,
            )
        assert require_approved(connection, plan) == "airflow:ola"
        connection.execute("update ops.plan_record set digest = 'y'")
        with pytest.raises(Fatal, match="something else than was approved"):
            require_approved(connection, plan)
        mappings = read_project(firms.files.root).mappings
        require_applied(connection, mappings, None)
        with pytest.raises(Fatal, match=r"another one than was applied \(firm\).*the loads wait"):
            require_applied(connection, mappings, 0)


def test_an_edit_that_takes_a_class_away_shows_no_value_of_it(firms: Firms) -> None:
    _cut_names(firms)
    firms.apply(firms.plan())  # so that the mapping in force is known
    email = firms.files.entity["attributes"]["email"]
    email["personal"] = "none"
    email["sources"][SOURCES["crm"]]["null_values"] = ["b@beta.pl"]
    plan = firms.plan()
    assert plan.says.entities[0].attributes["email"] == {"filled": 0, "emptied": 1, "changed": 0}
    assert "email … → ∅" in plan_page(firms.connection, plan)


def _approve(connection: psycopg.Connection, asked: Question, who: str) -> None:
    decide(connection, asked.approval_id, approved=True, by=who, started_by="airflow:anna", shown=asked.plan)


def test_readers_do_not_see_what_a_plan_keeps_of_personal_values(firms: Firms) -> None:
    for role in ("onefold_engineer", "onefold_auditor"):
        with psycopg.connect(as_role(firms.url, role)) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("select * from ops.plan_record")
