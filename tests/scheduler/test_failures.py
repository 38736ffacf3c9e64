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


def newest(here: Installation, dag_id: str, task_id: str) -> tuple[DagRun, TaskInstance]:
    """The newest run of a DAG, and one of its tasks."""
    run = here.api().dag_runs(dag_id, limit=1)[0]
    return run, next(task for task in here.api().task_instances(run) if task.task_id == task_id)


def loaded(here: Installation, table: str) -> list[list[str]]:
    """A staging table and its cursor; what conform makes of earlier loads may go on changing meanwhile."""
    found, (system, stream) = tables(here), table.split("__")
    mine = f"[('stream', '{stream}'), ('system', '{system}'),"
    return [found[f"staging.{table}"], [row for row in found["ops.cursor"] if row.startswith(mine)]]


def test_a_changed_contract_is_refused_and_explains_itself(faulty: Installation) -> None:
    faulty.sandbox("POST", "advance", changes=3)
    before = loaded(faulty, "salesforce__account")
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
    refused = faulty.run("sync", "salesforce")
    assert refused.code == 1
    assert "account.gate" in refused.errors
    run, gate = newest(faulty, "sync__salesforce", "account.gate")
    (load,) = faulty.rows("select state, error from ops.load where stream = 'account' order by load_id desc limit 1")
    said = load["error"]
    assert load["state"] == "rejected"
    assert "field Name was text and is now absent" in said and "Nothing was published" in said
    assert said in faulty.api().log(run, gate)
    assert "field Name was text and is now absent" in refused.errors
    assert "catalog/systems/salesforce.yaml" in refused.errors
    assert (gate.state, gate.try_number) == ("failed", 1)  # trying again cannot help
    assert loaded(faulty, "salesforce__account") == before
    faulty.sandbox("DELETE", "faults")
    faulty.succeed("sync", "salesforce")
    assert loaded(faulty, "salesforce__account") != before


def test_a_source_that_is_down_is_asked_again_says_its_last_status_and_loses_nothing(faulty: Installation) -> None:
    faulty.sandbox("POST", "advance", changes=10)
    before = loaded(faulty, "sap__business_partner")
    body = "Wartungsarbeiten"
    faulty.sandbox(
        "POST", "faults", system="sap", kind="status", code=503, body=body, path="A_BusinessPartner", times=-1
    )
    with faulty.start("sync", "sap") as sync:
        wait_for(lambda: waits_to_be_tried_again(faulty), 90, "a failed attempt")
        run, land = newest(faulty, "sync__sap", "business_partner.land")
        said = faulty.api().log(run, land)
        assert "503" in said and body in said and "sandbox-secret" not in said
        (load,) = faulty.rows(
            "select state, error from ops.load where stream = 'business_partner' order by load_id desc limit 1"
        )
        assert load["state"] == "extracting" and "503" in load["error"]
        assert loaded(faulty, "sap__business_partner") == before  # the last good rows and the cursor
        faulty.sandbox("DELETE", "faults")
        assert ended(sync).code == 0
    assert loaded(faulty, "sap__business_partner") != before


def waits_to_be_tried_again(at: Installation) -> bool:
    """Whether an attempt to land SAP has failed and Airflow will make another."""
    _, land = newest(at, "sync__sap", "business_partner.land")
    return land.state == "up_for_retry"
