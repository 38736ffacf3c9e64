"""Every way in which somebody could have their own rollback done, or another one than was approved. Each did once."""

from __future__ import annotations

from types import SimpleNamespace

import psycopg
import pytest
from airflow.sdk.execution_time.context import OutletEventAccessors

from onefold.audit import AuditEvent, append
from onefold.audit.approval import ask, decide
from onefold.catalog.reader import Catalog
from onefold.errors import Fatal
from onefold.load.ledger import Run
from onefold.orchestration.tasks import questions
from onefold.orchestration.tasks import rollback as tasks
from onefold.rollback import lifecycle
from onefold.rollback.lifecycle import execute_rollback, plan_rollback
from onefold.rollback.request import RollbackRequest
from onefold.warehouse.connection import connect
from tests.approvals import answer, asked, record_decision
from tests.load.shop import SHOP, Shop, record
from tests.roles import as_role

CATALOG = Catalog(systems={"shop": SHOP}, entities={})
STARTER = "airflow:by:engineer/rollback/{}"


def planned(shop: Shop, load_id: int, run: str) -> int:
    request = RollbackRequest((load_id,), reason="wrong prices")
    return plan_rollback(shop.url, CATALOG, request, Run("rollback", run, STARTER.format(run))).rollback_id


def context(run: str, **xcom: object) -> dict[str, object]:
    """A run of the DAG, whose XCom an attacker has written."""
    task = SimpleNamespace(xcom_pull=lambda **_: xcom)
    run_ = SimpleNamespace(dag_id="rollback", run_id=run, triggering_user_name="engineer")
    return {"dag_run": run_, "ti": task, "outlet_events": OutletEventAccessors()}


def test_what_is_done_is_the_runs_own_plan_whatever_its_xcom_says(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    harmless, grave = shop.load([record("a", 1)]), shop.load([record("b", 2)])
    shown = planned(shop, harmless.load_id, "manual__1")
    other = planned(shop, grave.load_id, "manual__2")
    record_decision(shop.url, shown, "approver", approved=True)
    for module in (tasks, questions):
        monkeypatch.setattr(module, "warehouse_url", lambda: shop.url)
    monkeypatch.setattr(tasks, "read_catalog", lambda: CATALOG)
    of = context("manual__1", rollback_id=other)
    assert tasks.execute(of)["rollback_id"] == shown
    assert set(shop.current()) == {"b"}
    (event,) = of["outlet_events"][tasks.ROLLED_BACK].asset_alias_events
    assert event.extra["rollback_id"] == shown and event.extra["load_ids"] == [harmless.load_id]
    assert (event.extra["state"], event.extra["records_removed"]) == ("rolled_back", 1)


@pytest.mark.parametrize("role", ["loader", "engineer", "auditor"])
def test_nobody_approves_in_sql(shop: Shop, role: str) -> None:
    load = shop.load([record("a", 1)])
    rollback_id = planned(shop, load.load_id, "manual__1")
    question = asked(shop.url, f"rollback:{rollback_id}")
    with psycopg.connect(as_role(shop.url, f"onefold_{role}"), autocommit=True) as attacker:
        for statement in (
            "update ops.rollback set approved_by = 'approver'",
            "insert into ops.rollback (loads, reason, actor, plan, approved_by) values ('{1}', 'x', 'x', '[]', 'x')",
            "update ops.migration set approver = 'approver'",
            "update ops.approval set decision = 'approved', decided_by = 'airflow:approver'",
            "update ops.approval set plan = 'harmless'",
            "delete from ops.approval",
            "insert into ops.session (token_sha256, subject, expires_at) values ('x', 'approver', now())",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                attacker.execute(statement)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            decide(
                attacker, question.approval_id, approved=True, by="airflow:approver", started_by=question.requested_by,
                shown=question.plan,
            )  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            append(attacker, AuditEvent("airflow:approver", "approval.approve", f"rollback:{rollback_id}"))
    with pytest.raises(Fatal, match="not approved"):
        execute_rollback(shop.url, CATALOG, rollback_id, STARTER)
    assert set(shop.current()) == {"a"}


def test_even_an_approval_that_the_superuser_wrote_into_the_tables_does_nothing(shop: Shop, warehouse_url: str) -> None:
    load = shop.load([record("a", 1)])
    rollback_id = planned(shop, load.load_id, "manual__1")
    with psycopg.connect(warehouse_url, autocommit=True) as superuser:
        superuser.execute("update ops.rollback set approved_by = 'approver'")
        superuser.execute("update ops.approval set decision = 'approved', decided_by = 'airflow:approver'")
    with pytest.raises(Fatal, match="not approved"):
        execute_rollback(shop.url, CATALOG, rollback_id, STARTER)


def test_another_plan_than_was_shown_is_not_approved(shop: Shop) -> None:
    load = shop.load([record("a", 1)])
    question = asked(shop.url, f"rollback:{planned(shop, load.load_id, 'manual__1')}")
    with (
        connect(as_role(shop.url, "onefold_approvals"), autocommit=True) as server,
        pytest.raises(Fatal, match="what was shown is not the plan that is stored"),
    ):
        decide(
                server, question.approval_id, approved=True, by="airflow:approver", started_by=question.requested_by,
                shown=question.plan.replace("Rollback", "Look at"),
            )  # fmt: skip
    assert shop.query("select actor, result, payload ->> 'reason' from audit.event where action = 'approval.deny'") == [
        ("airflow:approver", "refused", "other_plan")
    ]


@pytest.mark.parametrize("by", ["engineer", "ENGINEER", "other", None])
def test_neither_who_asks_nor_who_started_the_run_nor_an_unknown_person_approves(shop: Shop, by: str | None) -> None:
    """The task says who asks, Airflow who has started the run: a task that lies about itself changes nothing."""
    load = shop.load([record("a", 1)])
    question = asked(shop.url, f"rollback:{planned(shop, load.load_id, 'manual__1')}")
    with (
        connect(as_role(shop.url, "onefold_approvals"), autocommit=True) as server,
        pytest.raises(Fatal, match="must be approved by somebody else"),
    ):
        decide(
                server, question.approval_id, approved=True, by=f"airflow:{by}" if by else None,
                started_by="airflow:other", shown=question.plan,
            )  # fmt: skip


def test_what_is_changed_after_the_approval_is_not_done(shop: Shop) -> None:
    harmless, grave = shop.load([record("a", 1)]), shop.load([record("b", 2)])
    rollback_id = planned(shop, harmless.load_id, "manual__1")
    record_decision(shop.url, rollback_id, "approver", approved=True)
    with connect(shop.url, autocommit=True) as loader:  # as `sql --as loader` is
        loader.execute("update ops.rollback set loads = %s", ([grave.load_id],))
    with pytest.raises(Fatal, match="something else"):
        execute_rollback(shop.url, CATALOG, rollback_id, STARTER)
    assert set(shop.current()) == {"a", "b"}


def test_a_harmless_text_does_not_get_another_operation_approved(shop: Shop) -> None:
    """Anna, who has the loader's password, asks in the name of Piotr, whose run waits, with the text that it shows."""
    harmless, grave = shop.load([record("a", 1)]), shop.load([record("b", 2)])
    shown = asked(shop.url, f"rollback:{planned(shop, harmless.load_id, 'manual__1')}")
    other = planned(shop, grave.load_id, "manual__2")
    facts = "select content_sha256 from ops.approval where subject = %s"
    with connect(shop.url, autocommit=True) as loader:
        (content,) = loader.execute(facts, (f"rollback:{other}",)).fetchone() or ("",)
        forged = (
            STARTER.format("x"),
            f"rollback:{other}",
            "rollback",
            "manual__1",
            "airflow:piotr",
            shown.plan,
            content,
        )
        loader.execute("select audit.ask_approval(%s, %s, %s, %s, %s, %s, %s)", forged)
    answer(shop.url, f"rollback:{other}", "anna", approved=True)
    with pytest.raises(Fatal, match="the text that was approved is about something else"):
        execute_rollback(shop.url, CATALOG, other, STARTER)
    assert set(shop.current()) == {"a", "b"}


def test_an_approval_is_good_for_once(shop: Shop) -> None:
    """Undone with everybody's knowledge, and called planned again by whoever has the loader's password."""
    load = shop.load([record("a", 1)])
    first = planned(shop, load.load_id, "manual__1")
    record_decision(shop.url, first, "approver", approved=True)
    execute_rollback(shop.url, CATALOG, first, STARTER.format("x"))
    run = Run("rollback", "manual__2", STARTER.format("manual__2"))
    second = plan_rollback(shop.url, CATALOG, RollbackRequest(undo=first, reason="it was right"), run).rollback_id
    assert second is not None
    record_decision(shop.url, second, "approver", approved=True)
    execute_rollback(shop.url, CATALOG, second, STARTER.format("x"))
    with connect(shop.url, autocommit=True) as loader:
        loader.execute("update ops.rollback set state = 'planned' where rollback_id = %s", (first,))
    with pytest.raises(Fatal, match="was done already"):
        execute_rollback(shop.url, CATALOG, first, STARTER.format("x"))
    assert set(shop.current()) == {"a"}


def test_what_is_turned_down_while_it_prepares_is_not_done(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a second tab, between the first look at the approval and the transaction."""
    load = shop.load([record("a", 1)])
    rollback_id = planned(shop, load.load_id, "manual__1")
    answer(shop.url, f"rollback:{rollback_id}", "approver", approved=True)

    def meanwhile(*_: object) -> None:
        answer(shop.url, f"rollback:{rollback_id}", "approver", approved=False)

    monkeypatch.setattr(lifecycle, "gate_late_readings", meanwhile)
    with pytest.raises(Fatal, match="not approved"):
        execute_rollback(shop.url, CATALOG, rollback_id, STARTER)
    assert set(shop.current()) == {"a"}


def test_a_plan_that_is_asked_again_needs_its_own_approval(shop: Shop) -> None:
    load = shop.load([record("a", 1)])
    rollback_id = planned(shop, load.load_id, "manual__1")
    subject = f"rollback:{rollback_id}"
    answer(shop.url, subject, "approver", approved=True)
    with connect(shop.url, autocommit=True) as loader:
        ask(loader, subject, "rollback", "manual__1", STARTER.format("manual__1"), "something else", {"loads": []})
    with pytest.raises(Fatal, match="not approved"):
        execute_rollback(shop.url, CATALOG, rollback_id, STARTER)


def test_an_answer_that_did_not_come_through_the_api_server_is_none(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = shop.load([record("a", 1)])
    planned(shop, load.load_id, "manual__1")
    monkeypatch.setattr(questions, "warehouse_url", lambda: shop.url)
    with pytest.raises(Exception, match="nobody's approval is recorded"):
        tasks.decide(context("manual__1"), approved=True)
