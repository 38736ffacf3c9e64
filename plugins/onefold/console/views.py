"""The pages of the console, and where Airflow's own pages show a part of it."""

from __future__ import annotations

from collections.abc import Sequence

PREFIX = "/console"
"""The path of Airflow's API server below which the console answers."""
VIEWS: Sequence[tuple[str, str]] = (
    ("overview", "Overview"),
    ("quarantine", "Quarantine"),
    ("lineage", "Lineage"),
    ("catalogue", "Catalogue"),
    ("records", "Golden records"),
    ("write-back", "Write-back"),
    ("operations", "Operations"),
    ("cost", "Cost"),
    ("audit", "Audit"),
)
"""Path and title of each page, in the order of the menu."""
OF_OPERATIONS = frozenset({"quarantine", "write-back", "operations", "audit"})
"""The pages that an analyst does not see."""
WIDGETS = "/widgets"
"""The path, below the console's, of what is shown within Airflow's own pages."""
HOME = "Onefold home"
"""The name of the widget on Airflow's first page, by which its script gives it."""
TABS: Sequence[tuple[str, str]] = (
    ("dag", "dag={DAG_ID}"),
    ("dag_run", "dag={DAG_ID}&run={RUN_ID}"),
    ("task_instance", "dag={DAG_ID}&run={RUN_ID}&task={TASK_ID}"),
)
"""The kinds of Airflow's pages that have a tab of the console, with what Airflow tells it."""
TAB = "Warehouse"
