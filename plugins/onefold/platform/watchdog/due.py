"""Which syncs are due and have not run: the schedules of the catalogue against the ledger and Airflow's runs.

A sync whose DAG is paused is not due. One of which a run is in progress is not either: Airflow begins the next when
that has ended. Runs of a backfill do not count, and a migration that waits for its service window holds up no sync.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from croniter import croniter

from onefold.platform.watchdog.snapshot import OverdueSync


@dataclass(frozen=True, slots=True)
class SyncDag:
    """What Airflow says of the DAG of a system: whether it can read it now, and whether a run is due since `due`."""

    system: str
    known: bool
    has_run: bool


def last_due(schedules: Mapping[str, str], now: datetime) -> dict[str, datetime]:
    """The last instant at or before `now` at which each system's sync was due, by its cron expression in UTC."""
    return {system: croniter(cron, now).get_prev(datetime) for system, cron in schedules.items()}


_SYNCS = """
select asked.system, not dag.is_stale,
       exists (
           select from dag_run run where run.dag_id = dag.dag_id and run.run_type <> 'backfill'
           and (run.state = 'running' or run.start_date >= asked.due)
       )
from unnest(%s::text[], %s::timestamptz[]) as asked (system, due)
join dag on dag.dag_id = 'sync__' || asked.system
where not dag.is_paused
"""
_LOADS = """
select asked.system from unnest(%s::text[], %s::timestamptz[]) as asked (system, due)
where exists (
    select from ops.load
    where load.dag_id = 'sync__' || asked.system and load.run_id not like 'backfill%%' and load.started_at >= asked.due
)
"""


def syncs(airflow: psycopg.Connection, due: Mapping[str, datetime]) -> list[SyncDag]:
    """The DAGs of these systems that are not paused; one that Airflow has never read is not in the list."""
    asked = (list(due), list(due.values()))
    return [SyncDag(*row) for row in airflow.execute(_SYNCS, asked)]


def loaded(warehouse: psycopg.Connection, due: Mapping[str, datetime]) -> set[str]:
    """The systems of which the ledger has a load since then."""
    return {system for (system,) in warehouse.execute(_LOADS, (list(due), list(due.values())))}


def overdue(due: Mapping[str, datetime], dags: Sequence[SyncDag], has_loaded: set[str]) -> tuple[OverdueSync, ...]:
    """Those of which neither Airflow nor the ledger has a run since they were due."""
    return tuple(
        OverdueSync(dag.system, f"{due[dag.system].astimezone(UTC):%F %H:%M} UTC", dag.known)
        for dag in dags
        if not dag.has_run and dag.system not in has_loaded
    )
