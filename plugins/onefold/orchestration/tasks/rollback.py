"""What the tasks of the DAG `rollback` do: plan, store a person's decision, execute."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from airflow.sdk import Context

from onefold.catalog.reader import read_catalog
from onefold.orchestration.assets import ROLLED_BACK, staging_asset
from onefold.orchestration.tasks.errors import airflow_errors
from onefold.orchestration.tasks.run import answered_by, run_of
from onefold.rollback import lifecycle
from onefold.rollback.request import RollbackRequest
from onefold.settings import warehouse_url

log = logging.getLogger(__name__)


def plan(context: Context) -> Mapping[str, object]:
    """Plan what the run's parameters ask for, and show it in the log."""
    params = context["params"]
    request = RollbackRequest(
        loads=tuple(params.get("loads") or ()),
        run_id=params.get("run") or None,
        undo=params.get("undo"),
        reason=params.get("reason") or "",
    )
    with airflow_errors():
        planned = lifecycle.plan_rollback(warehouse_url(), read_catalog(), request, run_of(context).actor)
    for line in planned.text.splitlines():
        log.info(line)
    return planned.as_json()


def decide(context: Context, event: Mapping[str, object], *, approved: bool) -> None:
    """Store what a person has decided about the run's plan."""
    with airflow_errors():
        lifecycle.record_decision(warehouse_url(), _rollback_id(context), answered_by(event), approved)


def execute(context: Context) -> Mapping[str, object]:
    """Do what was approved; the assets of the staging tables that it changed then start conform."""
    with airflow_errors():
        done = lifecycle.execute_rollback(warehouse_url(), read_catalog(), _rollback_id(context), run_of(context).actor)
    changed = context["outlet_events"][ROLLED_BACK]
    for stream in done.streams:
        changed.add(staging_asset(*stream.stream.split(".")))
    return done.as_json()


def _rollback_id(context: Context) -> int:
    return int(context["ti"].xcom_pull(task_ids="plan")["rollback_id"])
