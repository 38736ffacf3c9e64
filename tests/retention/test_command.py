"""The command counts and deletes in the whole warehouse of the catalogue, as the role that loads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from onefold.catalog.reader import read_catalog
from onefold.commands.retention import retention
from onefold.errors import Fatal
from onefold.insight.retention import purged_rows, retention_runs
from onefold.load.staging import ensure_all_staging
from onefold.warehouse.connection import connect
from tests.anchors import anchor_what_is_lost
from tests.retention.conftest import Warehouse


def run(*options: str) -> Result:
    done = CliRunner().invoke(retention, options)
    assert done.exit_code == 0, done.exception
    return done


def test_a_warehouse_older_than_its_anchors_loses_nothing(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    warehouse.execute("insert into ops.alert (kind, subject, message) values ('x', 'y', 'z')")
    warehouse.execute("update ops.alert set resolved_at = now() - interval '100 days'")
    anchor_what_is_lost()
    with pytest.raises(Fatal, match="older than its anchors"):
        warehouse.retain()
    assert warehouse.query("select (select count(*) from ops.alert), (select count(*) from ops.retention)") == [(1, 0)]


def test_it_counts_every_store_of_the_catalogue_and_says_what_it_deleted(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", warehouse.url)
    catalog = read_catalog()
    ensure_all_staging(warehouse.url, catalog)
    kept = json.loads(run("--only", "warehouse", "--json").output)
    of = {store: {each["subject"] for each in kept if each["store"] == store} for store in ("history", "golden")}
    streams = {f"{system.system}.{name}" for system in catalog.systems.values() for name in system.streams}
    assert of == {"history": streams, "golden": set(catalog.entities)}
    assert {each["period"] for each in kept if each["subject"] == "hr.pay" and each["store"] == "history"} == {3650}
    of_class = [each for each in kept if each["data_class"]]
    assert {(each["subject"], each["data_class"], each["period"]) for each in of_class} >= {
        ("stripe.charge", "contact", 730)
    }
    assert "Nothing is due." in run("--only", "warehouse", "--due").output
    warehouse.execute(
        "insert into lineage.event (event_time, event_type, job_namespace, job_name, run_id, event)"
        " select now() - interval '200 days', 'START', 'onefold', 'job', gen_random_uuid(), '{}'"
        " from generate_series(1, 3)"
    )
    assert "lineage events" in run("--only", "warehouse", "--due").output
    done = json.loads(run("--only", "warehouse", "--execute", "--json").output)
    assert done == [{"store": "lineage", "subject": "lineage.event", "rows": 3, "busy": False, "data_class": ""}]
    assert "done" in run("--runs").output
    with connect(warehouse.url) as connection:
        (last,) = retention_runs(connection).rows
        assert (last.state, last.rows) == ("done", 3)
        (purged,) = purged_rows(connection, last.retention_id)
        assert (purged.subject, purged.days, purged.rows) == ("lineage.event", 180, 3)
