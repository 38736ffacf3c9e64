"""Whether a plan needs another person's approval, the question, and the proof of it before anything is written."""

from __future__ import annotations

import psycopg

from onefold.audit.approval import ask, require_approval, require_shown, triggering_user
from onefold.catalog.target import Above, Target
from onefold.warehouse.rows import one_row
from onefold.write_back import plan_ledger
from onefold.write_back.plan_ledger import Plan
from onefold.write_back.plan_text import SHOWN, plan_text

_ROWS = r"""
select encode(sha256(convert_to(coalesce(string_agg(concat_ws(' ', intent_id, object, golden_id, change, target_key,
    version, before, after), e'\n' order by intent_id), ''), 'UTF8')), 'hex')
from ops.write_back_plan_row where plan_id = %s"""


def needs_approval(target: Target, writes: int) -> bool:
    """Whether another person is to approve so many writes. Those about which a rule asks always need it."""
    if isinstance(target.approval, Above):
        return writes > target.approval.above
    return target.approval == "always" and writes > 0


def plan_page(connection: psycopg.Connection, plan: Plan, target: Target) -> str:
    """The plan as it is shown."""
    return plan_text(plan, target, plan_ledger.rows_of(connection, plan.plan_id, SHOWN))


def ask_approval(connection: psycopg.Connection, plan: Plan, target: Target) -> None:
    """Ask as the run that has planned it; in the caller's transaction."""
    shown, content = plan_page(connection, plan, target), _content(connection, plan)
    by = triggering_user(plan.actor)
    requester = f"airflow:{by}" if by else plan.actor  # a run that a publish has started is nobody's: anybody approves
    ask(connection, plan.subject, plan.dag_id, plan.run_id, plan.actor, shown, content, requested_by=requester)


def require_approved(connection: psycopg.Connection, plan: Plan, target: Target) -> str:
    """Who has approved it. Raises Fatal unless another person has, and about just what would be written."""
    approval = require_approval(connection, plan.subject)
    require_shown(connection, approval, plan_page(connection, plan, target))
    approval.require(_content(connection, plan))
    return approval.by


def _content(connection: psycopg.Connection, plan: Plan) -> dict[str, object]:
    return {
        "target": plan.target,
        "catalog": plan.catalog,
        "rows": one_row(connection.execute(_ROWS, (plan.plan_id,)))[0],
    }
