"""What the tasks of the DAGs `write_back__<target>` do: plan, store a person's decision, execute."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowRescheduleException

from onefold.orchestration.forms import numbers
from onefold.orchestration.tasks.connections import endpoint
from onefold.orchestration.tasks.errors import airflow_errors
from onefold.orchestration.tasks.questions import require_decision
from onefold.orchestration.tasks.run import run_of
from onefold.service_window import Closed
from onefold.settings import warehouse_url
from onefold.warehouse.connection import connect
from onefold.warehouse.post_commit import after_commit
from onefold.write_back.configured import write_back_to
from onefold.write_back.plan_ledger import Plan, plan_of_run

log = logging.getLogger(__name__)
ALL = "all"
"""What the form says to replay every refused record."""


def plan(context: Context, target: str) -> int | None:
    """Intend again what the run's form asks to replay, and plan what is intended; returns the plan's number."""
    url, run, replay = warehouse_url(), run_of(context), str(context["params"].get("replay") or "").strip()
    with airflow_errors(), write_back_to(target, url, endpoint) as back:
        if replay:
            ids = () if replay == ALL else numbers(replay) or ()
            log.info("%s refused records are intended again.", back.replay(run, ids))
        made = back.plan(run)
        after_commit(url)
    if made is None:
        log.info("Nothing is intended for %s.", target)
        return None
    log.info("Plan %s: %s", made.plan_id, ", ".join(f"{count} {name}" for name, count in made.counts.items()))
    return made.plan_id


def waits_for_approval(context: Context) -> bool:
    """Whether the run has made a plan that another person is to approve."""
    made = _plan_of(context)
    return made is not None and bool(made.needs_approval)


def decide(context: Context, target: str, *, approved: bool) -> None:
    """End the plan when it was turned down. Raises Fatal for an approval that nobody has recorded."""
    with airflow_errors():
        decided = require_decision(context, approved=approved)
        if not approved:
            with write_back_to(target, warehouse_url(), endpoint) as back:
                back.turn_down(decided.number)


def execute(context: Context, target: str) -> Mapping[str, object]:
    """Execute the run's plan. Outside the target's hours the task is rescheduled to their beginning."""
    made = _plan_of(context)
    if made is None:
        return {}
    url = warehouse_url()
    with airflow_errors(), write_back_to(target, url, endpoint) as back:
        try:
            done = back.execute(made.plan_id, run_of(context))
        except Closed as closed:
            raise AirflowRescheduleException(closed.opens) from closed
        after_commit(url)
    return {"plan": done.plan_id, **done.outcomes}


def _plan_of(context: Context) -> Plan | None:
    run = run_of(context)
    with connect(warehouse_url(), autocommit=True) as connection:
        return plan_of_run(connection, run.dag_id, run.run_id)
