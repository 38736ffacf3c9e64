"""What the processes that tasks are forked from import at their start, so that no task has to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from onefold.settings import ROOT

_PROGRAM = """
import importlib, json, sys
sys.argv = ["airflow", *sys.argv[1:]]
import airflow_local_settings
loaded = set(sys.modules)
if "onefold" in loaded:
    import dbt.cli.main, dbt.task.build, dbt_common.clients.agate_helper, great_expectations, sqlparse
    from onefold import lineage
    from onefold.orchestration import dag_docs, operators, tasks
    from onefold.connectors import files, graphql, odata, rest, soap, sql
    for each in (files, graphql, odata, rest, soap, sql):
        importlib.import_module(f"{each.__name__}.reader")
    from onefold.connectors.rest import children, formats, one_body
    from onefold.connectors.sql.database import DIALECTS, dialect_of
    for each in DIALECTS:
        dialect_of(each)
    from onefold.http import client_certificate
    from onefold.http.sign_in import assertion, digest, ntlm, oauth2, refresh, session
    from onefold.quality import gate
    from onefold.systems import microsoft365, regon
    from onefold.systems.ksef import connector
    from onefold.systems.salesforce import connector
    from onefold.load import steps
    for name in lineage.__all__:
        getattr(lineage, name)
print(json.dumps({"loaded": sorted(loaded), "of a task": sorted(set(sys.modules) - loaded)}))
"""


def imports(*command: str, project: Path = ROOT, **variables: str) -> Mapping[str, list[str]]:
    """The modules that `airflow <command>` has imported at its start, and those that a task then still had to."""
    path = f"{project / 'plugins'}{os.pathsep}{project}"
    answer = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *command],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr[-3000:]
    return json.loads(answer.stdout.splitlines()[-1])


def test_a_task_imports_nothing_that_the_scheduler_could_have_imported_for_it() -> None:
    found = imports("scheduler", ONEFOLD_PRELOAD="benchmarks.table")
    assert "great_expectations" in found["loaded"]
    assert found["of a task"] == []
    assert "benchmarks.table" in found["loaded"]


def test_a_celery_worker_does_the_same_and_no_mistake_in_the_catalogue_stops_it(tmp_path: Path) -> None:
    for folder in ("catalog", "plugins", "dbt_project/macros"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "catalog" / "systems" / "sap.yaml").write_text("system: pas\n")
    found = imports("celery", "worker", project=tmp_path)
    assert "great_expectations" in found["loaded"] and "onefold.orchestration.tasks.sync" in found["loaded"]


def test_processes_that_fork_no_tasks_import_nothing() -> None:
    loaded = imports("dag-processor")["loaded"]
    assert not {"onefold", "great_expectations", "dbt"} & set(loaded)
