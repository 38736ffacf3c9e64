"""What the installation itself keeps: Airflow's own database, logs of tasks, and logs of its services.

The database is cleaned by Airflow's own program (`airflow db clean`), which keeps the newest run of each DAG. A log
that is being written is copied and emptied: the services append to it, and lose nothing but what they write in between.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from onefold.catalog.privacy import TechnicalRetention
from onefold.errors import Fatal
from onefold.platform.airflow import AIRFLOW_DATABASE
from onefold.platform.lifecycle import Installation
from onefold.retention.purge import Kept, Store
from onefold.retention.run import Purged
from onefold.warehouse.rows import one_row

CLEANED = (
    "asset_event,callback,deadline,import_error,job,log,revoked_token,task_instance_history,task_reschedule,"
    "trigger,xcom,task_instance,dag_run"
)
"""Airflow's tables that grow with its runs; what it knows of the DAGs themselves stays."""

_RUNS = """
select count(*), min(run_after), count(*) filter (where run_after < %s and run_after < (
    select max(n.run_after) from dag_run n where n.dag_id = r.dag_id)) from dag_run r
"""


def installation_kept(here: Installation, said: TechnicalRetention) -> list[Kept]:
    """What there is of Airflow's runs, and of log files (a row is a file), and how much of it is due now."""
    now = datetime.now(UTC)
    with psycopg.connect(here.postgres.url(AIRFLOW_DATABASE, "airflow")) as connection:
        rows, oldest, due = one_row(connection.execute(_RUNS, (now - said.airflow,)))
    kept = [Kept("airflow", "dag_run", said.airflow, rows, oldest, due)]
    logs = here.settings.home / "logs"
    kept += [_files("task_logs", logs / folder, said.task_logs, now) for folder in ("tasks", "dags")]
    kept.append(_files("server_logs", logs, said.server_logs, now))
    return kept


def clean_installation(here: Installation, said: TechnicalRetention) -> list[Purged]:
    """Delete what is due; rotate the services' logs. Raises Fatal with the end of Airflow's output when it fails."""
    before = {kept.subject: kept.rows for kept in installation_kept(here, said) if kept.store == "airflow"}
    now = datetime.now(UTC)
    clean_database(here.variables, now - said.airflow)
    after = {kept.subject: kept.rows for kept in installation_kept(here, said) if kept.store == "airflow"}
    purged = [Purged("airflow", name, rows - after[name]) for name, rows in before.items()]
    logs = here.settings.home / "logs"
    purged += [
        Purged("task_logs", folder, delete_old_files(logs / folder, now - said.task_logs))
        for folder in ("tasks", "dags")
    ]
    rotate_logs(logs, now)
    purged.append(Purged("server_logs", "logs", _delete(old_logs(logs, now - said.server_logs))))
    return [each for each in purged if each.rows]


def clean_database(variables: Mapping[str, str], before: datetime) -> None:
    """Let Airflow delete what its database holds of runs that were before. Raises Fatal when it cannot."""
    command = [sys.executable, "-m", "airflow", "db", "clean", "--clean-before-timestamp", before.isoformat()]
    done = subprocess.run(
        [*command, "--tables", CLEANED, "--skip-archive", "--yes", "--error-on-cleanup-failure"],
        env={**os.environ, **variables},
        cwd=variables["AIRFLOW_HOME"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode:
        raise Fatal(f"`airflow db clean` failed (exit code {done.returncode}):\n{(done.stdout + done.stderr)[-2000:]}")


def rotate_logs(logs: Path, now: datetime) -> list[Path]:
    """Each service's log that has grown becomes a file of the day; returns the new files, which their owner reads."""
    rotated = []
    for log in sorted(logs.glob("*.log")):
        target = log.with_name(f"{log.name}.{now:%Y-%m-%d}")
        if log.stat().st_size and not target.exists():
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            shutil.copyfile(log, target)
            os.truncate(log, 0)
            rotated.append(target)
    return rotated


def old_logs(logs: Path, before: datetime) -> list[Path]:
    """The services' rotated logs that were written last before then."""
    return [path for path in _rotated(logs) if _written(path) < before]


def delete_old_files(folder: Path, before: datetime) -> int:
    """Delete the files below a folder that were written last before then, and folders that are empty then; how many
    files."""
    deleted = _delete([path for path in _below(folder) if _written(path) < before])
    for below in sorted((path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink()), reverse=True):
        if not any(below.iterdir()):
            below.rmdir()
    return deleted


def _files(store: Store, folder: Path, period: timedelta, now: datetime) -> Kept:
    found = sorted(_written(path) for path in (_rotated(folder) if store == "server_logs" else _below(folder)))
    due = sum(written < now - period for written in found)
    return Kept(store, folder.name, period, len(found), found[0] if found else None, due)


def _below(folder: Path) -> Iterator[Path]:
    yield from (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _rotated(logs: Path) -> Iterator[Path]:
    yield from (path for path in logs.glob("*.log.*") if path.is_file())


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _delete(paths: list[Path]) -> int:
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)
