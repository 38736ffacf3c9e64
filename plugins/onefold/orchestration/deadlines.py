"""Freshness SLAs as Airflow's deadlines. Light, because the DAG processor reads it.

A run's logical date is the start of its interval, up to which the run before has published. If the run has not
succeeded when the SLA's time has passed since then, the published data is older than the SLA allows: so the deadline is
the logical date plus the SLA.

A deadline is of one run. It stays when the run fails, though a later run may have brought all that was missing; and a
backfill's lies in the past. So a deadline that passes is no alert yet: the ledger is asked
(reconcile/freshness_sla.py).
Where no run begins at all there is no deadline either: the DAG reconcile asks the ledger every day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from onefold.catalog.system import System


def freshness_deadlines(system: System) -> list[DeadlineAlert]:
    """One deadline for each different freshness SLA of the system's streams."""
    streams_of: dict[timedelta, list[str]] = {}
    for name, stream in system.streams.items():
        streams_of.setdefault(stream.freshness, []).append(f"{system.system}.{name}")
    return [
        DeadlineAlert(
            name=f"data of {system.system} no older than {freshness.total_seconds() / 3600:g} h",
            reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
            interval=freshness,
            callback=SyncCallback("onefold.orchestration.deadlines.freshness_missed", kwargs={"streams": streams}),
        )
        for freshness, streams in streams_of.items()
    ]


def freshness_missed(context: Mapping[str, Mapping[str, str]], streams: list[str]) -> None:
    """What Airflow calls when a deadline has passed: check these streams (system.stream), send new alerts."""
    from onefold.orchestration.tasks import reconcile

    run = context["dag_run"]
    reconcile.freshness_missed(run["dag_id"], run["dag_run_id"], streams)
