"""Freshness promises as Airflow's deadlines. Light, because the DAG processor reads it.

A run's logical date is the start of its interval, up to which the run before has published. If the run has not
succeeded when the promise's time has passed since then, the published data is older than promised: so the deadline is
the logical date and the promise.

A deadline is of one run. It stays when the run fails, though a later run may have brought all that was missing; and a
backfill's lies in the past. So a deadline that passes is no alert yet: the ledger is asked
(reconcile/freshness_sla.py).
Where no run begins at all there is no deadline either: the DAG reconcile asks the ledger every day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from airflow.sdk import DeadlineAlert, DeadlineReference, SyncCallback

from onefold.catalog.system import System


def freshness_deadlines(system: System) -> list[DeadlineAlert]:
    """One deadline for each different promise of the system's streams."""
    promised: dict[timedelta, list[str]] = {}
    for name, stream in system.streams.items():
        promised.setdefault(stream.freshness, []).append(f"{system.system}.{name}")
    return [
        DeadlineAlert(
            name=f"data of {system.system} no older than {freshness.total_seconds() / 3600:g} h",
            reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
            interval=freshness,
            callback=SyncCallback("onefold.orchestration.deadlines.freshness_missed", kwargs={"streams": streams}),
        )
        for freshness, streams in promised.items()
    ]


def freshness_missed(context: Mapping[str, Mapping[str, str]], streams: list[str]) -> None:
    """What Airflow calls when a deadline has passed: judge these streams (system.stream) and tell what is new."""
    from onefold.orchestration.tasks import reconcile

    run = context["dag_run"]
    reconcile.promise_missed(run["dag_id"], run["dag_run_id"], streams)
