"""Which syncs count as due and not run, by Airflow's tables and the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg

from onefold.platform.watchdog import due
from onefold.platform.watchdog.snapshot import OverdueSync

DUE = datetime(2026, 3, 1, 2, 10, tzinfo=UTC)
BEFORE, AFTER = DUE - timedelta(minutes=5), DUE + timedelta(minutes=5)

TABLES = """
create temporary table dag (dag_id text, is_paused boolean, is_stale boolean);
create temporary table dag_run (dag_id text, run_type text, state text, start_date timestamptz);
"""
CASES = {
    "never_ran": (False, False, [], True),
    "paused": (True, False, [], False),
    "ran": (False, False, [("scheduled", "success", AFTER)], False),
    "failed": (False, False, [("scheduled", "failed", AFTER)], False),
    "by_hand": (False, False, [("manual", "success", AFTER)], False),
    "ran_before": (False, False, [("scheduled", "success", BEFORE)], True),
    "still_runs": (False, False, [("scheduled", "running", BEFORE)], False),
    "waits_for_ever": (False, False, [("scheduled", "queued", None)], True),
    "only_the_past": (False, False, [("backfill", "running", AFTER)], True),
    "unreadable": (False, True, [], True),
    "in_the_ledger": (False, False, [], False),
}
"""By system: is its DAG paused, can it not be read any more, its runs, and whether it is overdue."""


def test_a_schedule_is_due_at_its_last_instant_in_utc() -> None:
    now = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
    assert due.last_due({"erp": "10 * * * *", "hr": "45 2 * * *"}, now) == {
        "erp": DUE,
        "hr": datetime(2026, 2, 28, 2, 45, tzinfo=UTC),
    }


def test_a_sync_is_overdue_when_neither_airflow_nor_the_ledger_has_a_run_since(loader: psycopg.Connection) -> None:
    loader.execute(TABLES)
    for system, (paused, stale, runs, _) in CASES.items():
        loader.execute("insert into dag values (%s, %s, %s)", (f"sync__{system}", paused, stale))
        for run in runs:
            loader.execute("insert into dag_run values (%s, %s, %s, %s)", (f"sync__{system}", *run))
    for system, run_id in (("in_the_ledger", "scheduled__1"), ("only_the_past", "backfill__1")):
        loader.execute(
            "insert into ops.load (system, stream, window_start, window_end, state, dag_id, run_id, actor, started_at)"
            " values (%s, 'one', %s, %s, 'extracting', %s, %s, 'os:tester', %s)",
            (system, BEFORE, DUE, f"sync__{system}", run_id, AFTER),
        )
    asked = dict.fromkeys([*CASES, "never_read"], DUE)
    dags = due.syncs(loader, asked)
    assert "never_read" not in {dag.system for dag in dags}
    found = due.overdue(asked, dags, due.loaded(loader, asked))
    assert {sync.system for sync in found} == {system for system, case in CASES.items() if case[3]}
    assert OverdueSync("unreadable", "2026-03-01 02:10 UTC", known=False) in found
    assert OverdueSync("never_ran", "2026-03-01 02:10 UTC") in found
