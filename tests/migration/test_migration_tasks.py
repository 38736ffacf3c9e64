"""What the DAG's tasks add to the engine: the connection that is asked, and when a task comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowRescheduleException

from onefold.migration import ledger
from onefold.orchestration.tasks import migrate, run
from tests.acceptance.streams import Listed
from tests.migration.conftest import EXTRACT, NOW, ORDER, Engineer

YEARS = {
    "from": "2024-01-01", "to": NOW.isoformat(), "chunk_days": 600, "mode": "incremental",
    "reason": "the years before us",
}  # fmt: skip


def context(engineer: Engineer, **params: object) -> dict[str, object]:
    """A run of the DAG, as far as its tasks look at it."""
    run = SimpleNamespace(
        dag_id="migrate", run_id="manual__1", triggering_user_name="engineer", run_type="manual",
        data_interval_start=None, data_interval_end=None,
    )  # fmt: skip
    task = SimpleNamespace(
        try_number=1, max_tries=4, task=SimpleNamespace(retries=4),
        get_dagrun_state=lambda dag_id, run_id: "running",
    )  # fmt: skip
    return {"dag_run": run, "ti": task, "params": params}


@pytest.fixture
def here(engineer: Engineer, monkeypatch: pytest.MonkeyPatch) -> Engineer:
    """The tasks work in the engineer's warehouse, and Airflow's connections lead to the stand-ins."""
    endpoints = {listed.system.connection: listed.endpoint(engineer.bench.sandbox) for listed in (ORDER, EXTRACT)}

    def rated(connection_id: str, rate: str | None = None) -> object:
        endpoint = endpoints[connection_id]
        return replace(endpoint, extra={**(endpoint.extra or {}), **({"rate": rate} if rate else {})})

    for module in (migrate, run):
        monkeypatch.setattr(module, "endpoint", rated)
        monkeypatch.setattr(module, "warehouse_url", lambda: engineer.loader)
    return engineer


def test_plan_and_dry_run_ask_the_source_what_it_counts(here: Engineer) -> None:
    of_the_form = context(here, system="salesforce", streams=["order"], **YEARS)
    assert migrate.plan(of_the_form) == ["order"]
    (begun,) = here.bench.query("select migration_id, plan -> 'estimates' -> 'order' from ops.migration")
    assert begun[1]["by"] == "the source's own count"
    assert migrate.dry_run(of_the_form, "order") == len(here.chunks(ledger.get(here.connection, begun[0])))
    counted = [chunk.counted for chunk in here.chunks(ledger.get(here.connection, begun[0]))]
    assert sum(each["after"] for each in counted) == begun[1]["records"]


@pytest.mark.parametrize("listed", [ORDER, EXTRACT], ids=["by its own count", "by days of its feed"])
def test_how_much_planning_has_asked_of_the_source_is_kept_with_the_plan(here: Engineer, listed: Listed) -> None:
    before = here.bench.requests(listed.system)
    migrate.plan(context(here, system=listed.system.system, streams=[listed.stream_name], rate="50/s", **YEARS))
    asked = here.bench.requests(listed.system) - before
    assert asked > 0
    assert here.bench.query("select plan -> 'asked' from ops.migration") == [(asked,)]
    assert here.bench.query("select payload -> 'asked' from audit.event where action = 'migration.begin'") == [(asked,)]


def test_a_task_is_put_off_until_the_service_window_opens(here: Engineer) -> None:
    now = datetime.now(UTC)
    opens, closes = now + timedelta(hours=2), now + timedelta(hours=3)
    hours = f"{opens:%H:%M}-{closes:%H:%M}"
    request = replace(here.request(NOW - timedelta(days=90)), mode="service_window", service_window=hours)
    migration = here.begin(request)
    with pytest.raises(AirflowRescheduleException) as put_off:
        migrate.dry_run(context(here), "order")
    assert abs(put_off.value.reschedule_date - opens.replace(second=0, microsecond=0)) < timedelta(milliseconds=1)
    assert here.asked == []
    assert here.now(migration).state == "planned"
