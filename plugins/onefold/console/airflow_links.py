"""Addresses of Airflow's own pages, for links that leave the console's frame (target=_top)."""

from __future__ import annotations

import re
from urllib.parse import quote

from onefold.console.views import PREFIX


def console_page(root: str, address: str) -> str:
    """A page of the console, within Airflow's UI; `address` is its path below the console's, as /quarantine?row=1."""
    route = re.split("[/?#]", address)[1]
    return f"{root.removesuffix(PREFIX)}/plugin/onefold-{route}{PREFIX}{address}"


def airflow_home(root: str) -> str:
    """Airflow's first page, which asks to sign in. `root` is the path below which the console answers."""
    return f"{root.removesuffix(PREFIX)}/"


def dag_page(root: str, dag_id: str) -> str:
    """The DAG, with its trigger form. `root` is the path below which the console answers."""
    return f"{root.removesuffix(PREFIX)}/dags/{quote(dag_id, safe='')}"


def run_page(root: str, dag_id: str, run_id: str) -> str:
    """One run of a DAG."""
    return f"{dag_page(root, dag_id)}/runs/{quote(run_id, safe='')}"


def decision_page(root: str, dag_id: str, run_id: str, task_id: str = "approve") -> str:
    """Where a run waits for a person: its Required Action."""
    return f"{run_page(root, dag_id, run_id)}/tasks/{quote(task_id, safe='')}/required_actions"
