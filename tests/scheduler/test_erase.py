"""An erasure through the real scheduler: planned by one, approved by another; no file of the home has a trace."""

from __future__ import annotations

import json

import pytest

from onefold.platform.people import first_of
from onefold.platform.postgres import Postgres
from tests.erasure.office import bytes_on_disk, traces
from tests.scheduler.installation import Installation
from tests.scheduler.test_rollback import answered, refused

pytestmark = [pytest.mark.scheduler, pytest.mark.torture]
LATEST = "select state, actor, touched from ops.erasure order by erasure_id desc limit 1"


def databases(here: Installation) -> list[str]:
    """The warehouse, and Airflow's own database with its runs, XComs, answers and log."""
    postgres = Postgres(here.home, here.pg_port)
    return [postgres.url("warehouse"), postgres.url("airflow")]


def test_an_erasure_is_approved_by_another_person_and_leaves_no_trace_in_any_database_or_file(alone: Installation):
    (person,) = alone.rows(
        "select _payload ->> 'workEmail' as email, _payload ->> 'customPESEL' as pesel, _key from"
        " staging.hr__employee__current where length(_payload ->> 'customPESEL') = 11 and not _deleted"
        " and _payload ->> 'workEmail' in (select _payload ->> 'mail' from staging.microsoft365__user__current)"
        " order by _key limit 1"
    )
    needles = str(person["email"]), str(person["pesel"])
    warehouse, metadata = databases(alone)
    assert traces(warehouse, needles) != []
    named = alone.home / "whom-to-erase"
    named.touch(mode=0o600)
    named.write_text("email {}\npesel {}\n".format(*needles))
    said = json.loads(alone.succeed("erase", "--file", str(named), "--basis", "Art. 17, request 12/2026", "--json"))
    named.unlink()
    assert f"hr.employee {person['_key']}" in said["records"]
    run = alone.api().dag_run("erase", said["run_id"])

    refused(alone, run, "engineer", "must be approved by somebody else")
    (planned,) = alone.rows(LATEST)
    assert planned["state"] == "planned"

    assert answered(alone, run, "approver", "Approve").state == "success"
    (done,) = alone.rows(LATEST)
    assert (done["state"], str(done["actor"]).split("/")[0]) == ("done", f"airflow:by:{first_of('engineer').name}")
    (decision,) = alone.rows("select decided_by from ops.approval where run_id = %s", run.run_id)
    assert decision["decided_by"] == f"airflow:{first_of('approver').name}"
    alone.succeed("sync", "hr")
    found = [*traces(warehouse, needles), *traces(metadata, needles), *bytes_on_disk(alone.home, needles)]
    assert found == []
