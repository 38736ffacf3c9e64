"""Plans that wait for a person: when they are closed without an answer, and what an answer no means."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg

from onefold.audit.approval import decision_about
from onefold.catalog.target import Target
from onefold.settings import approval_time
from onefold.write_back import plan_ledger
from onefold.write_back.plan_ledger import WRITES, Plan

MOST_WAITING = 3
"""Of so many plans that wait for an answer, one is made that has the records of all: nobody reads more."""
_OVERTAKEN = """
select count(*) from ops.write_back_plan_row as r join ops.outbox as o using (intent_id)
where r.plan_id = %s and r.change = any (%s) and o.state <> 'intended'
"""
_TURN_DOWN = """
update ops.outbox as o set state = 'refused', reason = %s, ended_at = clock_timestamp()
from ops.write_back_plan_row as r
where r.plan_id = %s and r.change = any (%s) and r.intent_id = o.intent_id and o.state = 'intended'
"""


def close_plans(connection: psycopg.Connection, target: Target) -> None:
    """Close the target's plans that are not to be executed any more, each with its reason; their records are planned
    anew. In the caller's transaction, with the write_lock.

    One that waits for an answer, or is approved, stays as long as it is about what is intended.
    """
    waiting: list[Plan] = []
    for plan in plan_ledger.open_plans(connection, target.target):
        decision = decision_about(connection, plan.subject) if plan.needs_approval else None
        if plan.state == "planning" or not plan.needs_approval:
            plan_ledger.end_plan(connection, plan.plan_id, "superseded", "a newer plan was made before it was executed")
        elif decision == "refused":
            turn_down(connection, plan)
        elif plan.catalog != plan_ledger.catalog_hash(target):
            changed = f"catalog/targets/{target.target}.yaml was changed"
            plan_ledger.end_plan(connection, plan.plan_id, "superseded", changed)
        elif decision != "approved" and not _close_unanswered(connection, plan):
            waiting.append(plan)
    if len(waiting) >= MOST_WAITING:
        for plan in waiting:
            plan_ledger.end_plan(connection, plan.plan_id, "superseded", "several plans waited: they become one")
    plan_ledger.delete_rows_of_closed(connection, target.target)


def _close_unanswered(connection: psycopg.Connection, plan: Plan) -> bool:
    """Close the plan where it is too late to answer; whether it was."""
    (overtaken,) = connection.execute(_OVERTAKEN, (plan.plan_id, list(WRITES))).fetchone() or (0,)
    if overtaken:
        reason = f"newer versions of {overtaken:,} of its records are intended"
        plan_ledger.end_plan(connection, plan.plan_id, "superseded", reason)
    elif datetime.now(UTC) - plan.created_at > approval_time():
        reason = f"nobody answered within {approval_time().days} days"
        plan_ledger.end_plan(connection, plan.plan_id, "expired", reason)
    else:
        return False
    return True


def turn_down(connection: psycopg.Connection, plan: Plan) -> None:
    """End a plan that a person has refused: its records are refused until somebody replays them, or a newer version
    comes. Nothing happens where it has ended. In the caller's transaction."""
    if plan.state != "planned":
        return
    reason = f"plan {plan.plan_id} was turned down: correct what was wrong with it, then replay"
    connection.execute(_TURN_DOWN, (reason, plan.plan_id, list(WRITES)))
    plan_ledger.end_plan(connection, plan.plan_id, "turned_down", "somebody has turned it down")


def executable_plans(connection: psycopg.Connection, target: str) -> list[Plan]:
    """The target's plans that may be executed: those that need no approval, then those that have one."""
    ready = [
        plan
        for plan in plan_ledger.open_plans(connection, target)
        if plan.state == "planned"
        and (not plan.needs_approval or decision_about(connection, plan.subject) == "approved")
    ]
    return sorted(ready, key=lambda plan: (bool(plan.needs_approval), plan.plan_id))


def waiting_plans(connection: psycopg.Connection, target: str) -> list[Plan]:
    """The target's plans that wait for a person's answer."""
    return [
        plan
        for plan in plan_ledger.open_plans(connection, target)
        if plan.state == "planned"
        and plan.needs_approval
        and decision_about(connection, plan.subject) not in ("approved", "refused")
    ]
