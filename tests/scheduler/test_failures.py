"""What a user reads when a source has changed its contract or is down, and that nothing is lost by it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from onefold.platform.api import DagRun, TaskInstance
from tests.scheduler.installation import Installation, ended, wait_for
from tests.scheduler.tables import tables

pytestmark = pytest.mark.scheduler


@pytest.fixture
def faulty(here: Installation) -> Iterator[Installation]:
    """The installation; faults are cleared at the end."""
    yield here
    here.sandbox("DELETE", "faults")


def newest(here: Installation, dag_id: str, task_id: str, state: str) -> tuple[DagRun, TaskInstance] | None:
    """The newest run of a DAG in which this task is in this state, and the task. The schedule may have begun that run,
    or the one after it."""
    api = here.api()
    tasks = ((run, task) for run in api.dag_runs(dag_id, limit=2) for task in api.task_instances(run))
    return next(((run, task) for run, task in tasks if (task.task_id, task.state) == (task_id, state)), None)


def loaded(here: Installation, table: str) -> list[list[str]]:
    """A staging table and its cursor; what conform makes of earlier loads may go on changing meanwhile."""
    found, (system, stream) = tables(here), table.split("__")
    mine = f"[('stream', '{stream}'),"
    return [found[f"staging.{table}"], [row for row in found[f"ops.cursor of {system}"] if row.startswith(mine)]]


def test_a_changed_contract_is_refused_and_explains_itself(faulty: Installation) -> None:
    faulty.sandbox(
        "POST",
        "faults",
        system="salesforce",
        kind="rename_field",
        field="Name",
        to="Nazwa",
        path="FROM%20Account",
        times=-1,
    )
    faulty.sandbox("POST", "advance", changes=3)  # after the fault: nor does a run of the schedule bring it in
    before = loaded(faulty, "salesforce__account")
    refused = faulty.run("sync", "salesforce")
    assert refused.code == 1
    assert "--- account" in refused.errors
    run, account = newest(faulty, "sync__salesforce", "account", "failed")
    (load,) = faulty.rows("select state, error from ops.load where stream = 'account' and run_id = %s", run.run_id)
    said = load["error"]
    assert load["state"] == "rejected"
    assert "field Name was text and is now absent" in said and "Nothing was published" in said
    log = faulty.api().log(run, account)
    assert f"Step gate failed. {said}" in log and "::group::" not in log + refused.errors
    assert "field Name was text and is now absent" in refused.errors
    assert "catalog/systems/salesforce.yaml" in refused.errors
    assert (account.state, account.try_number) == ("failed", 1)  # trying again cannot help
    assert loaded(faulty, "salesforce__account") == before
    faulty.sandbox("DELETE", "faults")
    faulty.succeed("sync", "salesforce")
    assert loaded(faulty, "salesforce__account") != before


def test_a_source_that_is_down_is_asked_again_says_its_last_status_and_loses_nothing(faulty: Installation) -> None:
    faulty.comes_to_rest("sync__sap")
    body = "Wartungsarbeiten"
    faulty.sandbox(
        "POST", "faults", system="sap", kind="status", code=503, body=body, path="A_BusinessPartner", times=-1
    )
    faulty.sandbox("POST", "advance", changes=10)
    before = loaded(faulty, "sap__business_partner")
    with faulty.start("sync", "sap") as sync:
        failed = ("sync__sap", "business_partner", "up_for_retry")
        run, task = wait_for(lambda: newest(faulty, *failed), "a failed attempt", every=0.5)
        said = faulty.api().log(run, task)
        assert "Step land failed." in said and "tries again soon" in said
        assert "503" in said and "sandbox-secret" not in said
        assert f"{len(body)} bytes, hash " in said and body not in said
        (load,) = faulty.rows(
            "select state, error from ops.load where stream = 'business_partner' and run_id = %s", run.run_id
        )
        assert load["state"] == "extracting" and "503" in load["error"]
        assert loaded(faulty, "sap__business_partner") == before  # the last good rows and the cursor
        faulty.sandbox("DELETE", "faults")
        assert ended(sync).code == 0
    assert loaded(faulty, "sap__business_partner") != before
