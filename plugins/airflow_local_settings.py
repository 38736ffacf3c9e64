"""Every Airflow process imports this at its start (Airflow finds it on the plugins path).

LocalExecutor's scheduler forks its workers, and they fork a process for each task; so do the processes of a Celery
worker. What they have imported, a task has for nothing. Otherwise each task would pay: Great Expectations 2.5 s (6 s
while the machine is busy), dbt 1 s, the other libraries 0.25 s, the engine itself 0.1 s.

The price: a task runs the engine as it was when the scheduler started. `onefold up` starts the scheduler anew when a
file of the engine has changed. The catalogue is not code: each task looks whether a file of it has changed.

ONEFOLD_PRELOAD names further modules, with commas between them.
"""

import contextlib
import importlib
import os
import sys

__all__: list[str] = []  # Airflow would take every other name here for a setting

LIBRARIES = (
    "great_expectations",
    "dbt.cli.main",
    "dbt.task.build",
    "dbt.adapters.postgres",
    "dbt_common.clients.agate_helper",
    "sqlparse",
    "pandas",
    "lxml.etree",
    "zeep",
)
AIRFLOW = (
    "airflow.dag_processing.bundles.local",
    "airflow.providers.common.io.assets.file",
    "airflow.sdk.definitions.asset.metadata",
    "airflow.sdk.execution_time.cache",
    "airflow.version",
)
ENGINE = (
    "onefold.orchestration.assets",
    "onefold.connectors.sql.database",
    "onefold.connectors.files.opening",
    "onefold.connectors.files.reader",
    "onefold.connectors.files.xlsx_file",
    "onefold.connectors.files.xml_file",
    "onefold.connectors.graphql.reader",
    "onefold.connectors.odata.reader",
    "onefold.connectors.rest.children",
    "onefold.connectors.rest.one_body",
    "onefold.connectors.rest.reader",
    "onefold.connectors.soap.messages",
    "onefold.connectors.soap.reader",
    "onefold.connectors.sql.counting",
    "onefold.connectors.sql.dialects.mssql",
    "onefold.connectors.sql.dialects.mysql",
    "onefold.connectors.sql.dialects.oracle",
    "onefold.connectors.sql.dialects.postgresql",
    "onefold.connectors.sql.reader",
    "onefold.http.client_certificate",
    "onefold.http.sign_in.assertion",
    "onefold.http.sign_in.ntlm",
    "onefold.http.sign_in.refresh",
    "onefold.http.sign_in.session",
    "onefold.orchestration.dag_docs",
    "onefold.lineage.events",
    "onefold.lineage.relay",
    "onefold.orchestration.operators",
    "onefold.load.steps",
    "onefold.orchestration.tasks.conform",
    "onefold.orchestration.tasks.migrate",
    "onefold.orchestration.tasks.reconcile",
    "onefold.orchestration.tasks.replay",
    "onefold.orchestration.tasks.rollback",
    "onefold.orchestration.tasks.sync",
)

if sys.argv[1:2] == ["scheduler"] or sys.argv[1:3] == ["celery", "worker"]:
    further = filter(None, os.environ.get("ONEFOLD_PRELOAD", "").split(","))
    for module in (*LIBRARIES, *AIRFLOW, *ENGINE, *further):
        importlib.import_module(module)

    from onefold.catalog.reader import read_catalog
    from onefold.catalog.yaml_file import CatalogError
    from onefold.connectors.registry import connector_class

    with contextlib.suppress(CatalogError):  # the DAG processor says it, with file and line; the scheduler must live
        for system in read_catalog().systems.values():
            connector_class(system)
