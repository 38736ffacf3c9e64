"""What the tasks of the DAG `rollback` do: plan, store a person's decision, execute."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from airflow.sdk import Context

from onefold.catalog.reader import read_catalog
from onefold.orchestration.assets import ROLLED_BACK, staging_asset
from onefold.orchestration.forms import load_numbers
from onefold.orchestration.tasks.asset_events import figures_of_rollback
from onefold.orchestration.tasks.errors import airflow_errors
from onefold.orchestration.tasks.questions import question, require_decision
from onefold.orchestration.tasks.run import run_of
from onefold.rollback import lifecycle
from onefold.rollback.request import RollbackRequest
from onefold.settings import warehouse_url

log = logging.getLogger(__name__)


def plan(context: Context) -> Mapping[str, object]:
    """Plan what the run's parameters ask for, and show it in the log."""
    params = context["params"]
    request = RollbackRequest(
        loads=load_numbers(params.get("loads")),
        dag_id=params.get("dag") or None,
        run_id=params.get("run") or None,
        undo=params.get("undo"),
        reason=params.get("reason") or "",
    )
    with airflow_errors():
        planned = lifecycle.plan_rollback(warehouse_url(), read_catalog(), request, run_of(context))
    for line in planned.text.splitlines():
        log.info(line)
    return planned.as_json()


def decide(context: Context, *, approved: bool) -> None:
    """End the rollback when its plan was turned down. Raises Fatal for an approval that nobody has recorded."""
    with airflow_errors():
        decided = require_decision(context, approved=approved)
        if not approved:
            lifecycle.turn_down_rollback(warehouse_url(), decided.number, decided.decided_by or "airflow:nobody")


def execute(context: Context) -> Mapping[str, object]:
    """Do what was approved; the assets of the staging tables that it changed then start conform."""
    with airflow_errors():
        done = lifecycle.execute_rollback(
            warehouse_url(), read_catalog(), question(context).number, run_of(context).actor
        )
    changed = context["outlet_events"][ROLLED_BACK]
    for stream in done.streams:
        changed.add(staging_asset(*stream.stream.split(".")), figures_of_rollback(done, stream))
    return done.as_json()
