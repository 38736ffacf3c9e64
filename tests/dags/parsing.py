"""Reads DAG files as Airflow's DAG processor does, in a process of its own: no database, no network, no catalogue but
the given one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from onefold.settings import ROOT

_PROGRAM = """
import json, os, socket, sys, time

def refuse(*_):
    raise OSError("a DAG file must not open a connection")

socket.socket.connect = refuse
sys.path[:0] = [os.environ["PROJECT"] + "/plugins", os.environ["PROJECT"]]
from airflow.dag_processing.dagbag import DagBag
began = time.monotonic()
bag = DagBag(os.environ["PROJECT"] + "/dags")
seconds = time.monotonic() - began
dags = {
    dag.dag_id: {
        "doc": dag.doc_md,
        "schedule": type(dag.schedule).__name__,
        "max_active_runs": dag.max_active_runs,
        "tags": sorted(dag.tags),
        "params": sorted(dag.params),
        "tasks": {
            task.task_id: {
                "doc": task.doc_md or task.doc,
                "before": sorted(task.upstream_task_ids),
                "outlets": [outlet.name for outlet in task.outlets],
                "retries": task.retries,
                "seconds": task.execution_timeout and task.execution_timeout.total_seconds(),
                "answer_seconds": getattr(task, "response_timeout", None) and task.response_timeout.total_seconds(),
            }
            for task in dag.tasks
        },
    }
    for dag in bag.dags.values()
}
for dag in bag.dags.values():
    started_by = getattr(dag.schedule, "asset_condition", dag.schedule)
    dags[dag.dag_id]["also_at"] = getattr(getattr(dag.schedule, "timetable", None), "expression", None)
    assets = getattr(started_by, "objects", None)
    dags[dag.dag_id]["any_of"] = sorted(asset.name for asset in assets) if assets else []
print(json.dumps({"dags": dags, "errors": bag.import_errors, "seconds": seconds, "modules": sorted(sys.modules)}))
"""


def parsed(home: Path, project: Path = ROOT) -> Mapping[str, object]:
    """What reading the project's DAG files gives: dags, import errors, seconds, and the modules then imported."""
    answer = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env={
            "PATH": os.environ["PATH"],
            "PROJECT": str(project),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://nobody@127.0.0.1:1/nothing",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": "postgresql+psycopg://nobody@127.0.0.1:1/nothing",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr[-3000:]
    return json.loads(answer.stdout.splitlines()[-1])
