"""Whether a plan needs another person's approval, the question, and the proof of it before anything is applied."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

from onefold.audit.approval import ask, require_approval, require_shown
from onefold.change.ledger import Plan
from onefold.change.text import plan_page
from onefold.conform.publish_ledger import anything_published, changed_mappings
from onefold.errors import Fatal
from onefold.mapping.registry import entity_of
from onefold.warehouse.rows import one_row

DAG_ID = "plan"
"""Approvals name a DAG and its run; a plan is made by a command."""

_RECORDS = r"""
select encode(sha256(convert_to(coalesce(string_agg(concat_ws(' ', entity, golden_id, change, digest), e'\n'
    order by entity, golden_id), ''), 'UTF8')), 'hex')
from ops.plan_record where publish_id = %s"""


def needs_approval(plan: Plan, above: int | None) -> bool:
    """Whether the setting (settings.plan_approval) asks for another person: more golden records change, or values are
    lost."""
    if above is None:
        return False
    return bool(plan.says.tables.losses) or plan.says.golden > above


def ask_approval(connection: psycopg.Connection, plan: Plan, who: str) -> None:
    """Ask in the name of the person who has made the plan, as audit events name people; call it in a transaction."""
    shown, content = plan_page(connection, plan), _content(connection, plan)
    ask(connection, plan.subject, DAG_ID, f"plan__{plan.plan_id}", who, shown, content, requested_by=who)


def require_approved(connection: psycopg.Connection, plan: Plan) -> str:
    """Who has approved it. Raises Fatal unless another person has, and about just what would be done."""
    approval = require_approval(connection, plan.subject)
    require_shown(connection, approval, plan_page(connection, plan))
    approval.require(_content(connection, plan))
    return approval.by


def require_applied(connection: psycopg.Connection, mappings: Mapping[str, str], above: int | None) -> None:
    """What conform asks first: raises Fatal where plans are wanted, and the catalogue is none that was applied."""
    if above is None or not anything_published(connection):
        return
    if changed := changed_mappings(connection, mappings):
        names = ", ".join(sorted({entity_of(part) for part in changed}))
        raise Fatal(
            f"The catalogue is another one than was applied ({names}), and ONEFOLD_PLAN_APPROVAL wants a plan first. "
            "Nothing was published; the loads wait. Run bin/onefold plan, then bin/onefold apply; or restore the files."
        )


def _content(connection: psycopg.Connection, plan: Plan) -> dict[str, object]:
    """All that decides what apply does."""
    return {
        "fingerprint": plan.fingerprint,
        "warehouse": plan.warehouse,
        "content": plan.content,
        "records": one_row(connection.execute(_RECORDS, (plan.dry_run_publish_id,)))[0],
    }
