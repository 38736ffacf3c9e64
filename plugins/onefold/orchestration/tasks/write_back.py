"""What the tasks of the DAGs `write_back__<target>` do: plan, store a person's decision, execute."""

from __future__ import annotations

import logging
from collections import Counter
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
from onefold.write_back.plan_ledger import plans_of_run

log = logging.getLogger(__name__)
ALL = "all"
"""What the form says to replay every refused record."""


def plan(context: Context, target: str) -> list[int]:
    """Intend again what the run's form asks to replay, and plan what is intended; returns the plans' numbers."""
    url, run, replay = warehouse_url(), run_of(context), str(context["params"].get("replay") or "").strip()
    with airflow_errors(), write_back_to(target, url, endpoint) as back:
        if replay:
            ids = () if replay == ALL else numbers(replay) or ()
            log.info("%s refused records are intended again.", back.replay(run, ids))
        made = back.plan(run)
        after_commit(url)
    if not made:
        log.info("Nothing is intended for %s.", target)
    for each in made:
        counts = ", ".join(f"{count} {name}" for name, count in each.counts.items())
        log.info("Plan %s%s: %s", each.plan_id, " waits for approval" if each.needs_approval else "", counts)
    return [each.plan_id for each in made]


def waits_for_approval(context: Context) -> bool:
    """Whether the run has made a plan that another person is to approve, and that is not closed meanwhile."""
    run = run_of(context)
    with connect(warehouse_url(), autocommit=True) as connection:
        made = plans_of_run(connection, run.dag_id, run.run_id)
    return any(each.needs_approval and each.state == "planned" for each in made)


def decide(context: Context, target: str, *, approved: bool) -> None:
    """End the plan when it was turned down. Raises Fatal for an approval that nobody has recorded."""
    with airflow_errors():
        decided = require_decision(context, approved=approved)
        if not approved:
            with write_back_to(target, warehouse_url(), endpoint) as back:
                back.turn_down(decided.number)


def execute(context: Context, target: str) -> Mapping[str, object]:
    """Execute the target's plans that need no approval or have one. Outside the target's hours the task is rescheduled
    to their beginning."""
    url = warehouse_url()
    with airflow_errors(), write_back_to(target, url, endpoint) as back:
        try:
            done = back.execute_ready(run_of(context))
        except Closed as closed:
            raise AirflowRescheduleException(closed.opens) from closed
        after_commit(url)
    outcomes: Counter[str] = Counter()
    for each in done:
        outcomes.update(each.outcomes)
    return {"plans": [each.plan_id for each in done], **outcomes} if done else {}
