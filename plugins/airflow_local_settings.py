"""Every Airflow process imports this at its start (Airflow finds it on the plugins path).

The scheduler's LocalExecutor forks its workers, and they fork a process for each task. What the scheduler has imported,
a task has for nothing; `import great_expectations` alone would cost each task seconds.
"""

import importlib
import sys

__all__: list[str] = []  # Airflow would take every other name here for a setting

PRELOADED = ("great_expectations", "dbt.cli.main", "dbt.adapters.postgres", "pandas", "lxml.etree", "zeep")

if sys.argv[1:2] == ["scheduler"]:
    for module in PRELOADED:
        importlib.import_module(module)
