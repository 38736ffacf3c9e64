"""Takes the snapshot: looks at processes, heartbeats in Airflow's database, the UI's port, and what waits to run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import psycopg

from onefold.catalog.reader import read_systems
from onefold.catalog.yaml_file import CatalogError
from onefold.errors import OnefoldError
from onefold.platform import api, processes
from onefold.platform.airflow import AIRFLOW_DATABASE, WAREHOUSE_DATABASE
from onefold.platform.lifecycle import Installation
from onefold.platform.watchdog import due
from onefold.platform.watchdog.snapshot import DATABASE, OverdueSync, ServiceSeen, Snapshot, TasksSeen
from onefold.settings import Settings

HEARTBEATS = {"scheduler": "SchedulerJob", "dag-processor": "DagProcessorJob", "triggerer": "TriggererJob"}
"""The services that write heartbeats into Airflow's table of jobs, with the type of job that each writes."""
FRESH_SECONDS = 30
"""A running task with an older heartbeat has died: Airflow's own limit (TASK_INSTANCE_HEARTBEAT_TIMEOUT)."""

_HEARTBEATS = """
select asked.type, newest.id || ' ' || newest.latest_heartbeat
from unnest(%s::text[]) as asked (type)
cross join lateral (
    select id, latest_heartbeat from job where job_type = asked.type order by latest_heartbeat desc nulls last limit 1
) newest
"""
_TASKS = """
select count(*) filter (where task.state = 'running'),
       count(*) filter (where task.state = 'running' and task.last_heartbeat_at > now() - %s * interval '1 second'),
       count(*) filter (where task.state = 'queued'),
       (array_agg(task.id order by task.queued_dttm, task.id) filter (where task.state = 'queued'))[1]::text,
       (array_agg(task.id order by task.scheduled_dttm, task.id) filter (
           where task.state = 'scheduled' and not dag.is_paused and run.state = 'running' and pool.slots <> 0
       ))[1]::text
from task_instance task
join dag using (dag_id)
join dag_run run using (dag_id, run_id)
left join slot_pool pool on pool.pool = task.pool
where task.state in ('running', 'queued', 'scheduled')
"""


Connect = Callable[[Literal["airflow", "warehouse"]], psycopg.Connection]
Services = Callable[[Mapping[str, str], int], Sequence[ServiceSeen]]
"""(sign of life by type of Airflow's jobs, number of the look) → the services beside the database."""


@dataclass
class Observer:
    """Looks at one installation, again and again; each look has connections of its own, as every task has.

    `slots`: how many tasks may run at once. `database_runs`: whether a database that does not answer has a process.
    """

    connect: Connect
    services: Services
    slots: int
    database_runs: Callable[[], bool]
    clock: Callable[[], float] = time.monotonic
    looks: int = 0
    seen_run: dict[str, datetime] = field(default_factory=dict)
    """For each system the latest instant at which its sync was due and has run since: it is not asked about again."""

    def look(self) -> Snapshot:
        """The installation as it is now. Raises nothing of a part that is down: that is what is being looked for."""
        self.looks += 1
        tasks: TasksSeen | None = None
        beats: Mapping[str, str] = {}
        overdue: tuple[OverdueSync, ...] = ()
        try:
            with self.connect("airflow") as airflow:
                beats = dict(airflow.execute(_HEARTBEATS, [list(HEARTBEATS.values())]).fetchall())
                tasks = self._tasks(airflow)
                overdue = self._overdue(airflow)
        except (psycopg.Error, OnefoldError):
            tasks = None
        answers = tasks is not None
        sign = f"look {self.looks}" if answers else None
        database = ServiceSeen(DATABASE, "", answers or self.database_runs(), sign)
        return Snapshot(self.clock(), (database, *self.services(beats, self.looks)), tasks, overdue)

    def _tasks(self, airflow: psycopg.Connection) -> TasksSeen:
        row = airflow.execute(_TASKS, [FRESH_SECONDS]).fetchone()
        running, healthy, queued, oldest_queued, oldest_ready = row or (0, 0, 0, None, None)
        return TasksSeen(self.slots, running, healthy, queued, oldest_queued, oldest_ready)

    def _overdue(self, airflow: psycopg.Connection) -> tuple[OverdueSync, ...]:
        """Asks the databases only about syncs that have become due and are not known to have run since."""
        try:
            schedules = {name: system.schedule for name, system in read_systems().items()}
        except CatalogError:  # the DAG processor says it, with file and line, and goes on with the DAGs that it has
            return ()
        last = due.last_due(schedules, datetime.now(UTC))
        asked = {system: at for system, at in last.items() if self.seen_run.get(system) != at}
        if not asked:
            return ()
        dags = due.syncs(airflow, asked)
        missing = {dag.system: asked[dag.system] for dag in dags if not dag.has_run}
        has_loaded: set[str] = set()
        if missing:
            with self.connect("warehouse") as warehouse:
                has_loaded = due.loaded(warehouse, missing)
        self.seen_run |= {dag.system: asked[dag.system] for dag in dags if dag.has_run or dag.system in has_loaded}
        return due.overdue(missing, [dag for dag in dags if not dag.has_run], has_loaded)


def connect_to(url: str) -> psycopg.Connection:
    """A connection that gives up soon. Raises psycopg.Error."""
    return psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=5,
        options="-c statement_timeout=5s",
        application_name="onefold watchdog",
    )


def observer_of(target: Installation) -> Observer:
    """Of the installation on this machine."""
    urls = {
        "airflow": target.postgres.url(AIRFLOW_DATABASE, "airflow"),
        "warehouse": target.postgres.url(WAREHOUSE_DATABASE, "onefold_loader"),
    }

    def services(beats: Mapping[str, str], look: int) -> Sequence[ServiceSeen]:
        recorded = processes.recorded(target.settings.home)
        return [
            service_seen(service.name, recorded.get(service.name), beats, look, target.settings)
            for service in target.services
        ]

    return Observer(
        lambda database: connect_to(urls[database]),
        services,
        int(target.variables["AIRFLOW__CORE__PARALLELISM"]),
        lambda: target.postgres.pid() is not None,
    )


def service_seen(
    name: str, running: processes.Running | None, beats: Mapping[str, str], look: int, here: Settings
) -> ServiceSeen:
    """One service of the installation: whether its process lives, and whether it has given a sign at this look."""
    if running is None:
        return ServiceSeen(name, "", False)
    instance, alive = f"{running.pid} {running.started}", running.leader() is not None
    if name in HEARTBEATS:
        return ServiceSeen(name, instance, alive, beats.get(HEARTBEATS[name]))
    if name == "api-server":
        return ServiceSeen(name, instance, alive, f"look {look}" if alive and ui_answers(here.ui_url) else None)
    if url := processes.health_urls(here).get(name):
        answers = alive and api.answers(url)
        return ServiceSeen(name, instance, alive, f"look {look}" if answers else None)
    return ServiceSeen(name, instance, alive, gives_signs=False)


def ui_answers(url: str) -> bool:
    """Whether Airflow's API server answers at this address."""
    return api.answers(f"{url}/api/v2/version")


def limits_setting() -> str:
    """ONEFOLD_WATCHDOG, as read_limits() reads it."""
    return os.environ.get("ONEFOLD_WATCHDOG", "")
