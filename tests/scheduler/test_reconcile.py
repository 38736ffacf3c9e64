"""Reconciliation, repair and deadlines as the real scheduler runs them."""

from __future__ import annotations

import json

import pytest

from tests.scheduler.installation import Installation, wait_for

pytestmark = pytest.mark.scheduler


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
    # what a repair loads is conformed like what any load brings
    newest = here.rows("select max(load_id) as id from ops.load where dag_id = 'reconcile'")[0]["id"]
    wait_for(lambda: here.has_conformed(newest), "conform of what was repaired")


def test_an_unknown_stream_is_refused_before_anything_runs(here: Installation) -> None:
    runs = len(here.api().dag_runs("reconcile"))
    refused = here.run("reconcile", "salesforce.acount")
    assert refused.code == 1
    assert "salesforce has no stream 'acount'. It has: account" in refused.errors
    assert len(here.api().dag_runs("reconcile")) == runs


def test_a_deadline_that_passes_while_the_data_is_too_old_is_told_once(here: Installation) -> None:
    age = "update ops.cursor set window_end = window_end - interval '10 days' where system = %s returning stream"
    assert here.rows(age, "sap_service") == [{"stream": "cost_center"}]
    here.airflow(
        "POST",
        "backfills",
        dag_id="sync__sap_service",
        from_date="2026-01-01T00:00:00Z",
        to_date="2026-01-03T00:00:00Z",
        max_active_runs=1,
        run_backwards=False,
        reprocess_behavior="none",
    )
    # the backfill's runs each have a deadline that lies in the past; together they are one alert
    about = "select kind from ops.alert where subject = %s and occurrences > 1 and notified_open = array['log']"
    told = wait_for(lambda: here.rows(about, "sap_service.cost_center"), "the alert of deadlines that have passed")
    assert told == [{"kind": "freshness"}]
