"""What the tasks of the DAG `retention` do: delete what is due in the warehouse, in Airflow's database and the logs."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from onefold.catalog.data_protection import check_data_protection
from onefold.catalog.reader import read_catalog
from onefold.errors import Fatal
from onefold.orchestration.tasks.errors import airflow_errors
from onefold.orchestration.tasks.run import run_of
from onefold.retention.run import execute_retention
from onefold.settings import settings, warehouse_url
from onefold.warehouse.post_commit import after_commit

log = logging.getLogger(__name__)


def purge_warehouse(context: Context) -> Mapping[str, object]:
    """Delete what is due in the warehouse; how many rows of what, for the UI."""
    with airflow_errors():
        catalog = read_catalog()
        report = execute_retention(warehouse_url(), catalog, check_data_protection(catalog), run_of(context).actor)
        after_commit(warehouse_url())
    for each in report.purged:
        log.info("%s of %s: %s rows%s", each.store, each.subject, each.rows, ", in use" if each.busy else "")
    return {"retention_id": report.retention_id, "rows": report.rows}


def clean_installation() -> Mapping[str, object]:
    """Clean Airflow's database and the logs by the command, in a process of its own.

    A task may not use Airflow's database, and its environment has no password of it; the command reads the file that
    the installation on this machine has. Skipped where there is none: then `airflow db clean` is the job of whoever
    runs the scheduler.
    """
    here = settings()
    if not (here.home / "secrets.json").exists():
        raise AirflowSkipException(
            f"{here.home} has no secrets.json, so Airflow's database is not this installation's. "
            "Run `airflow db clean` and rotate the logs where the scheduler runs (docs/data-protection.md)."
        )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    command = [sys.executable, "-m", "onefold.commands.main", "retention", "--only", "installation", "--execute"]
    done = subprocess.run(
        [*command, "--json"], env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    with airflow_errors():
        if done.returncode:
            raise Fatal(f"onefold retention failed (exit code {done.returncode}): {done.stderr.strip()[-2000:]}")
    return {f"{each['store']} {each['subject']}": each["rows"] for each in json.loads(done.stdout)}
