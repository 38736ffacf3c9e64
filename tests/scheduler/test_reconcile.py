"""Reconciliation, repair and deadlines as the real scheduler runs them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from onefold.orchestration.assets import staging_asset
from onefold.platform import airflow
from onefold.platform.postgres import Postgres
from onefold.platform.secrets import load_secrets
from onefold.settings import ROOT, Settings
from tests.scheduler.installation import PATIENCE, Installation, wait_for

pytestmark = pytest.mark.scheduler
PASSED = """
import sys
from datetime import UTC, datetime
from airflow.models.dagrun import DagRun
from airflow.models.deadline import Deadline
from airflow.utils.session import create_session
from sqlalchemy import select
from onefold.catalog.reader import read_systems
from onefold.orchestration.deadlines import freshness_deadlines
system = sys.argv[1]
with create_session() as session:
    run = session.scalars(select(DagRun).where(DagRun.dag_id == f"sync__{system}").limit(1)).one()
    for alert in 2 * freshness_deadlines(read_systems()[system]):
        session.add(Deadline(datetime.now(UTC), alert.callback, run.id, None, run.dag_id, run.dag_model.bundle_name))
"""
"""What the scheduler does when it makes a run whose deadlines pass at once; no run of the schedule has such."""


def passes(here: Installation, system: str) -> None:
    """Twice, all deadlines of the system pass."""
    settings = Settings(ROOT, here.home, here.pg_port, here.ui_port, here.sandbox_port)
    wired = airflow.environment(settings, load_secrets(here.home), Postgres(here.home, here.pg_port), sandbox=True)
    command = [sys.executable, "-c", PASSED, system]
    subprocess.run(command, cwd=ROOT, env={**here.variables, **wired}, check=True, timeout=PATIENCE)


def test_records_lost_by_hand_are_found_and_repaired_by_command(here: Installation) -> None:
    here.succeed("sync", "salesforce")  # what other tests have changed in the source is no loss
    before = here.rows("select _key, _payload from staging.salesforce__account__current order by 1")
    lost = here.rows("select _key, _cursor from staging.salesforce__account__current where not _deleted limit 3")
    keys = [row["_key"] for row in lost]
    here.rows("delete from staging.salesforce__account where _key = any (%s) returning 1 as one", keys)
    (found,) = json.loads(here.succeed("reconcile", "salesforce.account", "--json"))
    assert (found["method"], found["missing"], found["changed"], found["deleted"]) == ("counts", 3, 0, 0)
    assert found["read"] < len(before) / 2  # the source counted, and only what differed was read
    about = (
        "select kind, resolved_at, notified_open, notified_resolved from ops.alert where subject = 'salesforce.account'"
    )
    (alert,) = here.rows(about)
    assert (alert["kind"], alert["resolved_at"], alert["notified_open"]) == ("drift", None, ["log"])

    (fixed,) = json.loads(here.succeed("reconcile", "salesforce.account", "--repair", "--json"))
    assert (fixed["missing"], fixed["oldest"]) == (0, None)
    assert fixed["repaired"] == len({row["_cursor"][:10] for row in lost})
    assert here.rows("select _key, _payload from staging.salesforce__account__current order by 1") == before
    loads = here.rows("select stream, dag_id, rows_new from ops.load where dag_id = 'reconcile'")
    assert {load["stream"] for load in loads} == {"account"}
    assert sum(load["rows_new"] for load in loads) == 3
    (alert,) = here.rows(about)
    assert alert["resolved_at"] and alert["notified_resolved"] == ["log"]
    # what a repair loads starts conform like what any load brings
    told = here.airflow("GET", "assets/events?source_dag_id=reconcile")["asset_events"]
    assert {event["uri"] for event in told} == {staging_asset("salesforce", "account").uri}


def test_an_unknown_stream_is_refused_before_anything_runs(here: Installation) -> None:
    runs = len(here.api().dag_runs("reconcile"))
    refused = here.run("reconcile", "salesforce.acount")
    assert refused.code == 1
    assert "salesforce has no stream 'acount'. It has: account" in refused.errors
    assert len(here.api().dag_runs("reconcile")) == runs


def test_a_deadline_that_passes_while_the_data_is_too_old_is_told_once(here: Installation) -> None:
    age = "update ops.cursor set window_end = window_end - interval '10 days' where system = %s returning stream"
    assert here.rows(age, "sap_service") == [{"stream": "cost_center"}]
    passes(here, "sap_service")  # two deadlines, which together are one alert
    about = "select kind from ops.alert where subject = %s and occurrences > 1 and notified_open = array['log']"
    told = wait_for(lambda: here.rows(about, "sap_service.cost_center"), "the alert of deadlines that have passed")
    assert told == [{"kind": "freshness"}]
