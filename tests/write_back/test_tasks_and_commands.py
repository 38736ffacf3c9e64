"""The tasks of the DAG and the command, as Airflow and somebody at a keyboard call them."""

from __future__ import annotations

import json
from types import SimpleNamespace

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowRescheduleException, AirflowSkipException, TaskAwaitingInput
from click.testing import CliRunner
from psycopg import sql

from onefold.catalog.reader import Catalog
from onefold.commands import platform
from onefold.commands.quarantine import quarantine
from onefold.commands.report_text import write_back_lines
from onefold.commands.write_back import write_back
from onefold.orchestration.approval import ApproveWriteBack
from onefold.orchestration.tasks import write_back as tasks
from onefold.write_back import configured
from tests.approvals import answer
from tests.conform.world import PARTNER, record
from tests.roles import as_role
from tests.write_back.world import Outward, a_run, system, target


class Context(dict[str, object]):
    """As much of a run as the tasks ask for."""

    def __init__(self, run_id: str, user: str | None = None, **params: str) -> None:
        super().__init__(
            params=params,
            dag_run=SimpleNamespace(dag_id="write_back__erp", run_id=run_id, triggering_user_name=user),
        )


@pytest.fixture
def called(outward: Outward, monkeypatch: pytest.MonkeyPatch) -> Outward:
    """Whoever asks for the catalogue has the test's, and the ERP's endpoint."""
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", outward.world.url)
    monkeypatch.setattr(configured, "read_catalog", lambda: Catalog({"erp": system("erp")}, {"partner": PARTNER}))
    monkeypatch.setattr(configured, "read_targets", lambda catalog: {"erp": outward.target})
    monkeypatch.setattr(tasks, "endpoint", lambda connection: outward.endpoint())
    monkeypatch.setattr("onefold.commands.endpoints.endpoint_of", lambda connection: outward.endpoint())
    monkeypatch.setattr("onefold.commands.audit_restored.person_who_says", lambda here: "airflow:anna")
    return outward


def test_a_run_plans_and_writes_and_asks_nobody_where_nobody_has_to_be_asked(called: Outward) -> None:
    called.conform(record("crm", "c0", tax_id_pl="1", legal_name="Firm"))
    run = Context("first")
    assert tasks.plan(run, "erp") == [1]
    assert not tasks.waits_for_approval(run)
    assert tasks.execute(run, "erp") == {"plans": [1], "confirmed": 1}
    idle = Context("second")
    assert tasks.plan(idle, "erp") == []
    assert tasks.execute(idle, "erp") == {}


def test_a_run_waits_for_the_approval_and_a_refused_plan_is_made_anew_once_it_is_replayed(called: Outward) -> None:
    called.target = target(approval="always")
    called.conform(record("crm", "c0", tax_id_pl="1", legal_name="Firm"))
    run = Context("first", "jan")
    (number,) = tasks.plan(run, "erp")
    assert tasks.waits_for_approval(run)
    assert tasks.execute(run, "erp") == {}, "nothing before it is approved"
    answer(called.world.url, f"writeback:{number}", "ewa", approved=False)
    tasks.decide(run, "erp", approved=False)
    assert not tasks.waits_for_approval(run)
    called.write_back().replay(a_run())
    again = Context("second", "jan")
    (number,) = tasks.plan(again, "erp")
    answer(called.world.url, f"writeback:{number}", "ewa", approved=True)
    tasks.decide(again, "erp", approved=True)
    assert tasks.execute(again, "erp") == {"plans": [number], "confirmed": 1}


def test_a_run_that_is_asked_to_replay_intends_the_refused_ones_again_and_plans_them(called: Outward) -> None:
    called.target = target(**{"objects.partner.fields.nazwa": {"attribute": "legal_name", "length": {"max": 5}}})
    called.conform(*(record("crm", f"c{at}", tax_id_pl=f"{at}", legal_name="Too long") for at in (1, 2)))
    called.run()
    first, _ = (number for (number,) in called.world.connection.execute("select intent_id from ops.outbox order by 1"))
    called.target = target()
    one = Context("one", "jan", replay=str(first))
    assert tasks.plan(one, "erp") == [2]
    assert tasks.execute(one, "erp") == {"plans": [2], "confirmed": 1}
    rest = Context("rest", "jan", replay="all")
    assert tasks.plan(rest, "erp") == [3]
    assert tasks.execute(rest, "erp") == {"plans": [3], "confirmed": 1}


def test_outside_its_hours_nothing_is_written_and_the_task_comes_back_when_they_begin(
    called: Outward, monkeypatch: pytest.MonkeyPatch
) -> None:
    called.target = target(window="02:00-02:01 UTC")
    monkeypatch.setattr("onefold.service_window.ServiceWindow.seconds_until_open", lambda self, now: 60.0)
    called.conform(record("crm", "c0", tax_id_pl="1", legal_name="Firm"))
    run = Context("first")
    tasks.plan(run, "erp")
    with pytest.raises(AirflowRescheduleException):
        tasks.execute(run, "erp")
    assert called.table() == []
    assert called.states() == {"intended": 1}


def test_the_task_that_asks_waits_on_as_long_as_its_plan_does_and_ends_with_it(called: Outward) -> None:
    called.target = target(approval="always")
    task, timeout = ApproveWriteBack(task_id="approve", target="erp", doc_md=""), {"error_type": "timeout", "error": ""}
    run = Context("first")
    with pytest.raises(AirflowSkipException):
        task.execute(run)
    called.conform(record("crm", "c0", tax_id_pl="1", legal_name="Firm"))
    tasks.plan(run, "erp")
    with pytest.raises(TaskAwaitingInput):
        task.execute_complete(run, timeout)
    called.conform(record("crm", "c0", tax_id_pl="1", legal_name="Newer"))
    tasks.plan(Context("second"), "erp")
    with pytest.raises(AirflowSkipException):
        task.execute_complete(run, timeout)


def _types(*words: str) -> str:
    done = CliRunner().invoke(write_back, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_command_plans_runs_shows_what_waits_and_replays_it(called: Outward) -> None:
    called.target = target(**{"objects.partner.fields.nazwa": {"attribute": "legal_name", "length": {"max": 5}}})
    called.conform(
        record("crm", "c0", tax_id_pl="1", legal_name="Firm"), record("crm", "c1", tax_id_pl="2", legal_name="Too long")
    )
    planned = _types("erp", "--plan")
    assert "1 to create, 0 to update, 0 to delete, 0 unchanged, 1 refused" in planned
    assert "nazwa: it has 8 characters, and the target holds 5" in planned
    assert called.table() == []
    assert "1 confirmed" in _types("erp", "--run")
    assert [row["nazwa"] for row in called.table()] == ["Firm"]
    called.target = target()
    assert "1 refused records are intended again" in _types("erp", "--replay")
    assert "1 confirmed" in _types("erp", "--run")
    assert "Nothing is intended for erp." in _types("erp", "--run")


def test_the_command_says_that_another_person_approves(called: Outward) -> None:
    called.target = target(approval="always")
    called.conform(record("crm", "c0", tax_id_pl="1", legal_name="Firm"))
    said = _types("erp", "--run")
    assert "Another person than who made it approves it: bin/onefold write-back erp --approve 1" in said
    assert called.table() == []
    answer(called.world.url, "writeback:1", "ewa", approved=True)
    assert "Plan 1: 1 confirmed" in _types("erp", "--run")


def test_the_status_tells_states_reasons_and_plans(called: Outward, monkeypatch: pytest.MonkeyPatch) -> None:
    engineer = as_role(called.world.url, "onefold_engineer")
    monkeypatch.setattr("onefold.platform.warehouse.connect_as", lambda role: psycopg.connect(engineer))
    called.target = target(**{"objects.partner.fields.nazwa": {"attribute": "legal_name", "length": {"max": 5}}})
    called.conform(record("crm", "c1", tax_id_pl="2", legal_name="Too long"))
    called.run()
    said = _types("erp")
    assert "erp: 1 refused" in said and "the target holds 5" in said
    assert json.loads(_types("erp", "--json"))["intents"] == {"refused": 1}


def test_the_quarantine_command_and_the_status_name_what_a_target_refuses_or_waits_for(
    called: Outward, monkeypatch: pytest.MonkeyPatch
) -> None:
    engineer = as_role(called.world.url, "onefold_engineer")
    monkeypatch.setattr("onefold.platform.warehouse.connect_as", lambda role: psycopg.connect(engineer))
    monkeypatch.setattr("onefold.catalog.reader.read_systems", dict)
    called.target = target(
        approval="always", **{"objects.partner.fields.nazwa": {"attribute": "legal_name", "length": {"max": 5}}}
    )
    called.conform(
        record("crm", "c1", tax_id_pl="2", legal_name="Too long"), record("crm", "c2", tax_id_pl="3", legal_name="Firm")
    )
    called.run()
    line = "Waiting at target erp: 1 records that it was not given, 1 plans to decide about."
    shown = CliRunner().invoke(quarantine, [], catch_exceptions=False).stdout
    assert f"{line} Why: bin/onefold write-back erp" in shown
    (out,) = json.loads(CliRunner().invoke(quarantine, ["--json"], catch_exceptions=False).stdout)["out"]
    assert (out["target"], out["refused"], out["waiting_plans"]) == ("erp", 1, 1)
    service = SimpleNamespace(name="postgres", state="up")
    states = platform._write_backs(SimpleNamespace(services=[service]))
    assert write_back_lines(states) == [f"{line} Why: bin/onefold write-back erp"]


@pytest.mark.parametrize("role", ["onefold_engineer", "onefold_auditor"])
def test_values_that_are_written_out_are_read_by_onefold_pii_alone(outward: Outward, role: str) -> None:
    personal = {"outbox": ("sent", "digest"), "write_back_plan_row": ("before", "after")}
    with psycopg.connect(as_role(outward.world.url, role), autocommit=True) as reader:
        for table, columns in personal.items():
            reader.execute(sql.SQL("select intent_id from ops.{}").format(sql.Identifier(table)))
            for column in columns:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    reader.execute(
                        sql.SQL("select {} from ops.{}").format(sql.Identifier(column), sql.Identifier(table))
                    )
