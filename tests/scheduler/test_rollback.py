"""A rollback through the real scheduler: planned by one, approved by another, taken in by conform, and undone."""

from __future__ import annotations

import time
from collections.abc import Mapping

import jwt
import pytest
import requests
from playwright.sync_api import Browser

from onefold.orchestration.duties import Duty
from onefold.platform.api import FINISHED, DagRun
from onefold.platform.people import first_of
from onefold.platform.secrets import load_secrets
from tests.scheduler.demo import CONFORM
from tests.scheduler.installation import Installation, wait_for
from tests.scheduler.person import approved, signed_in
from tests.scheduler.tables import difference, tables

pytestmark = pytest.mark.scheduler
LOOKS = 5


def answered(here: Installation, run: DagRun, duty: Duty, answer: str) -> DagRun:
    """The run, ended, after this person has answered its approval, and has looked at it for a moment before.

    An answer within the moment in which the task begins to wait takes Airflow's executor by surprise: it takes the task
    for one that was ended from outside, and asks again.
    """
    api, task = here.api(), f"dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/approve/-1/hitlDetails"
    looks = 0

    def ended() -> DagRun | None:
        nonlocal looks
        now = api.dag_run(run.dag_id, run.run_id)
        waits = any(t.task_id == "approve" and t.state == "awaiting_input" for t in api.task_instances(now))
        looks = looks + 1 if waits else 0
        if looks == LOOKS:
            here.airflow("PATCH", task, duty, chosen_options=[option(here, task, answer)])
        return now if now.state in FINISHED else None

    return wait_for(ended, f"the end of {run.run_id}", every=0.5)


def option(here: Installation, task: str, answer: str) -> str:
    """The option that is offered for this answer: to approve names the plan."""
    return next(each for each in here.airflow("GET", task, "approver")["options"] if each.startswith(answer))


def refused(here: Installation, run: DagRun, duty: Duty, why: str) -> None:
    """This person's approval is refused, as is one with a token that was forged with the server's own key."""
    api, task = here.api(), f"dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/approve/-1/hitlDetails"
    wait_for(
        lambda: any(t.task_id == "approve" and t.state == "awaiting_input" for t in api.task_instances(run)),
        f"the question of {run.run_id}",
        every=0.5,
    )
    with pytest.raises(AssertionError, match=why):
        here.airflow("PATCH", task, duty, chosen_options=[option(here, task, "Approve")])
    claims = {"sub": first_of("approver").name, "role": "user", "teams": [], "aud": "apache-airflow", "nbf": 0}
    key = load_secrets(here.home).jwt_secret
    forged = jwt.encode({**claims, "iat": time.time(), "exp": time.time() + 600}, key, algorithm="HS512")
    answer = requests.patch(
        f"http://127.0.0.1:{here.ui_port}/api/v2/{task}",
        json={"chosen_options": [option(here, task, "Approve")]},
        headers={"Authorization": f"Bearer {forged}"},
        timeout=30,
    )
    assert answer.status_code == 403
    (asked,) = here.rows("select decision from ops.approval where run_id = %s", run.run_id)
    assert asked["decision"] is None


def newest_rollback(here: Installation) -> DagRun:
    """The run that has planned a rollback last."""
    (asked,) = here.rows("select run_id from ops.approval where dag_id = 'rollback' order by approval_id desc limit 1")
    return here.api().dag_run("rollback", str(asked["run_id"]))


def loaded(here: Installation) -> None:
    """Sync and conform, once for all streams, and nothing that goes on: the run that the schedule begins when it is
    switched on is over."""
    here.api().pause(CONFORM)
    here.succeed("sync", "salesforce")
    here.comes_to_rest("sync__salesforce")
    here.api().pause("sync__salesforce")
    here.succeed("conform")


def taken_in(here: Installation, loads: list[int], *, undone: bool) -> None:
    """Wait until the conform that the rollback started has published these loads so."""
    wait_for(
        lambda: here.rows(
            "select from ops.publish_load join ops.publish using (publish_id) where state = 'published'"
            " and publish_id = (select max(publish_id) from ops.publish_load where load_id = any (%s))"
            " and load_id = any (%s) and undone = %s",
            *(loads, loads, undone),
        ),
        "a conform that takes the loads in or out",
    )


def visible(here: Installation) -> Mapping[str, list[str]]:
    """What users see of this system and of the entities; closed rows of the quarantine apart."""
    found = tables(here)
    return {
        name: [row for row in rows if "'rolled_back'" not in row]
        for name, rows in found.items()
        if name.startswith(("conformed.", "staging.salesforce", "ops.quarantine", "ops.cursor"))
    }


def test_a_rollback_through_the_scheduler_leaves_staging_and_conformed_as_before_and_can_be_undone(
    browser: Browser, alone: Installation, pytestconfig: pytest.Config
) -> None:
    alone.succeed("conform")  # what other tests have loaded
    before = visible(alone)
    alone.sandbox("POST", "advance", changes=5)
    loaded(alone)
    after = visible(alone)
    assert after["conformed.customer"] != before["conformed.customer"]
    (newest,) = alone.rows(
        "select run_id, load_id, system || '.' || stream as stream from ops.load"
        " where system = 'salesforce' and rows_changed > 0 order by load_id desc limit 1"
    )
    run_id = str(newest["run_id"])
    changed = [
        int(row["load_id"])
        for row in alone.rows(
            "select load_id from ops.load where run_id = %s and rows_new + rows_changed + rows_deleted > 0", run_id
        )
    ]

    shown = alone.succeed("rollback", "--run", run_id, "--reason", "a test", "--dry-run")
    assert "versions are removed" in shown
    assert not difference(visible(alone), after)

    with signed_in(browser, alone, "engineer") as person:
        person.rolls_back_the_run_of(str(newest["stream"]), newest["load_id"], "a test")
        assert person.said == []
    run = newest_rollback(alone)
    refused(alone, run, "engineer", "must be approved by somebody else")
    assert not difference(visible(alone), after)
    assert approved(browser, alone, run).state == "success"
    taken_in(alone, changed, undone=True)
    assert not difference(visible(alone), before)
    if pytestconfig.getoption("--matrix") == "full":
        assert_can_be_undone(browser, alone, changed, after)


def assert_can_be_undone(
    browser: Browser, alone: Installation, changed: list[int], after: Mapping[str, list[str]]
) -> None:
    """Also through the scheduler; tests/rollback and tests/console prove it without one."""
    (rollback,) = alone.rows("select rollback_id, approved_by, actor from ops.rollback where state = 'done'")
    approver, engineer = first_of("approver").name, first_of("engineer").name
    assert (rollback["approved_by"], str(rollback["actor"]).split("/")[0]) == (approver, f"airflow:by:{engineer}")
    with signed_in(browser, alone, "engineer") as person:
        person.undoes(rollback["rollback_id"], "a test")
        assert person.said == []
    run = newest_rollback(alone)
    assert answered(alone, run, "approver", "Approve").state == "success"
    taken_in(alone, changed, undone=False)
    assert not difference(visible(alone), after)
