"""What the tasks of the DAG `erase` do: plan, store a decision, execute. The run names a case, never a person."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from airflow.sdk import Context

from onefold.catalog.reader import read_catalog
from onefold.deliver.due import undelivered_text
from onefold.erasure import lifecycle
from onefold.erasure.request import ErasureRequest
from onefold.orchestration.tasks.errors import airflow_errors
from onefold.orchestration.tasks.questions import require_decision
from onefold.orchestration.tasks.run import run_of
from onefold.settings import warehouse_url
from onefold.warehouse.connection import connect

log = logging.getLogger(__name__)


def plan(context: Context) -> Mapping[str, object]:
    """Plan the erasure that the run's parameters ask for, and show it in the log."""
    params = context["params"]
    with airflow_errors():
        request = ErasureRequest(params.get("case") or "", params.get("basis") or "")
        erasure_id, planned = lifecycle.plan_erasure(warehouse_url(), read_catalog(), request, run_of(context))
    for line in planned.text.splitlines():
        log.info(line)
    return {"erasure_id": erasure_id, "text": planned.text}


def decide(context: Context, *, approved: bool) -> None:
    """End the erasure when its plan was turned down. Raises Fatal for an approval that nobody has recorded."""
    with airflow_errors():
        decided = require_decision(context, approved=approved)
        if not approved:
            lifecycle.turn_down_erasure(warehouse_url(), decided.number, decided.decided_by or "airflow:nobody")


def execute(context: Context) -> None:
    """Erase what was approved for this run; the log says which other systems and warehouses still have it."""
    with airflow_errors():
        erased = lifecycle.execute_erasure(warehouse_url(), read_catalog(), run_of(context))
        with connect(warehouse_url()) as connection:
            elsewhere = undelivered_text(connection)
    for line in (*(erased.elsewhere if erased else ()), elsewhere):
        if line:
            log.warning(line)
