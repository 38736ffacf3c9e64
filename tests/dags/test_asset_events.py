"""What the events of assets say, whichever DAG has changed what the asset is."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.execution_time.context import OutletEventAccessors

from onefold.conform.report import ConformReport, EntityReport
from onefold.load.ledger import Load
from onefold.orchestration.assets import entity_asset
from onefold.orchestration.tasks import conform as task
from onefold.orchestration.tasks.asset_events import figures, figures_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LOAD = Load(
    **{field.name: None for field in fields(Load)}
    | {"load_id": 7, "window_start": NOON, "window_end": NOON + HOUR, "state": "published", "verdict": "passed"}
    | {"rows_read": 9, "rows_new": 1, "rows_changed": 2, "rows_deleted": 3, "rows_quarantined": 4}
    | {"rows_conflicting": 1, "values_withheld": 5}
)  # fmt: skip
ROWS = {"read": 9, "new": 1, "changed": 2, "deleted": 3, "quarantined": 4, "conflicting": 1, "withheld": 5}


def test_the_event_of_one_load_has_its_number_rows_and_verdict() -> None:
    window = "[2026-03-01T12:00:00+00:00, 2026-03-01T13:00:00+00:00)"
    assert figures(LOAD) == {"load_id": 7, "state": "published", "verdict": "passed", "window": window, **ROWS}


def test_the_event_of_several_loads_adds_up_their_rows_and_names_each_verdict() -> None:
    later = replace(LOAD, load_id=8, window_start=NOON + HOUR, window_end=NOON + 2 * HOUR, verdict="quarantined")
    assert figures_of([later, LOAD]) == {
        "load_ids": [8, 7],
        "state": "published",
        "verdict": "passed, quarantined",
        "window": "[2026-03-01T12:00:00+00:00, 2026-03-01T14:00:00+00:00)",
        **{what: 2 * count for what, count in ROWS.items()},
    }


def published(monkeypatch: pytest.MonkeyPatch, report: ConformReport) -> OutletEventAccessors:
    """The events of a run of conform whose build reports this."""
    for name in ("require_publishable_at", "require_applied", "ensure_all_staging", "after_commit", "entity_gate"):
        monkeypatch.setattr(task, name, lambda *_: None)
    monkeypatch.setattr(task, "try_to_collect_direct_reads", lambda *_: None)
    monkeypatch.setattr(task, "connect", lambda *_, **__: nullcontext())
    monkeypatch.setattr(task, "build_and_publish", lambda *_, **__: report)
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    run = SimpleNamespace(dag_id="conform", run_id="manual__1", triggering_user_name=None)
    events = OutletEventAccessors()
    task.conform({"dag_run": run, "outlet_events": events})
    return events


def test_the_event_of_an_entity_says_which_publish_made_what_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    events = published(monkeypatch, ConformReport(3, (7, 8), (EntityReport("customer", 90, 5, 2, 1, 0, 4, 6),), {}))
    assert events[entity_asset("customer")].extra == {
        "publish_id": 3, "loads": 2, "golden": 90, "new": 5, "changed": 2, "ended": 1, "conflicts": 0,
        "held_back": 4, "warnings": 6,
    }  # fmt: skip


def test_where_there_was_nothing_to_take_in_no_entity_has_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    events = published(monkeypatch, ConformReport(None, (), (EntityReport("customer", 90),), {}))
    assert events[entity_asset("customer")].extra == {}
