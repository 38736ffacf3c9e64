"""Executes a plan: each row is looked at once more, marked as sent, sent, and confirmed by reading it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import psycopg

from onefold.audit import AuditEvent, append
from onefold.catalog.entity import Entity
from onefold.catalog.target import Target
from onefold.connectors.outbound.contract import Change, ChangeKind, Current, Outbound, Outcome, Result, Value
from onefold.errors import Fatal, Retriable
from onefold.load.ledger import Run
from onefold.write_back import outbox, plan_ledger
from onefold.write_back.approval import require_approved
from onefold.write_back.decide import equal
from onefold.write_back.golden import read_golden
from onefold.write_back.lineage import record_lineage
from onefold.write_back.outbox import Intent
from onefold.write_back.place import OpenObject
from onefold.write_back.plan_ledger import Plan, Row
from onefold.write_back.search import find_references, match_values, read_keys
from onefold.write_back.values import from_json

_WITHOUT_WRITING = """
with done as (
    update ops.outbox as o set state = case r.change when 'refuse' then 'refused' else 'confirmed' end,
        change = case r.change when 'refuse' then o.change else 'nothing' end, reason = r.reason,
        target_key = coalesce(r.target_key, o.target_key), ended_at = clock_timestamp()
    from ops.write_back_plan_row as r
    where r.plan_id = %s and r.intent_id = o.intent_id and r.outcome is null
        and r.change in ('nothing', 'leave', 'refuse')
        and o.state = 'intended'
    returning o.intent_id, o.state)
update ops.write_back_plan_row as r set outcome = done.state from done
where r.plan_id = %s and r.intent_id = done.intent_id
"""
_COUNTS = "select coalesce(outcome, 'moved'), count(*) from ops.write_back_plan_row where plan_id = %s group by 1"


@dataclass(frozen=True, slots=True)
class Executed:
    """What became of a plan's rows, by outcome."""

    plan_id: int
    outcomes: Mapping[str, int]


def execute_plan(
    connection: psycopg.Connection,
    target: Target,
    entities: Mapping[str, Entity],
    open_object: OpenObject,
    plan_id: int,
    run: Run,
    *,
    target_url: str,
    may_go_on: Callable[[], None] = lambda: None,
) -> Executed:
    """Write what the plan says and no more; what has changed at the target since it was planned is left alone.

    Call it with the write_lock, over a connection in autocommit; `may_go_on` raises outside the target's hours,
    `target_url` is the target's address, for lineage. Killed, it is called again. Raises Fatal when the plan is not
    approved or is for another catalogue, Retriable when the target cannot be reached: what was not sent is then still
    intended.
    """
    plan = plan_ledger.get_plan(connection, plan_id)
    _require_executable(connection, plan, target)
    with connection.transaction():
        outbox.adopt_orphans(connection, target.target)
        connection.execute(_WITHOUT_WRITING, (plan_id, plan_id))
    for name in plan_ledger.open_objects(connection, plan_id):
        with open_object(name) as outbound:
            after = 0
            while rows := plan_ledger.open_rows(connection, plan_id, name, after, outbound.batch):
                may_go_on()
                after = rows[-1].intent_id
                _execute_rows(connection, target, outbound, name, rows)
    with connection.transaction():
        outcomes: Counter[str] = Counter(dict(connection.execute(_COUNTS, (plan_id,)).fetchall()))
        plan_ledger.end_plan(connection, plan_id, "executed")
        append(
            connection,
            AuditEvent(
                run.actor,
                "write_back.execute",
                plan.subject,
                from_="conformed",
                to=target.target,
                payload={each: outcomes[each] for each in ("confirmed", "refused", "moved", "ambiguous", "not_sent")},
            ),
        )
        record_lineage(connection, target, entities, plan, run, target_url)
    return Executed(plan_id, outcomes)


def _require_executable(connection: psycopg.Connection, plan: Plan, target: Target) -> None:
    if plan.state != "planned":
        raise Fatal(f"Write-back plan {plan.plan_id} is {plan.state}: nothing was written. Make a new plan.")
    if plan.target != target.target or plan.catalog != plan_ledger.catalog_hash(target):
        raise Fatal(
            f"catalog/targets/{plan.target}.yaml is another one than plan {plan.plan_id} was made for: nothing was "
            "written. Make a new plan."
        )
    if plan.needs_approval:
        require_approved(connection, plan, target)


def _execute_rows(
    connection: psycopg.Connection, target: Target, outbound: Outbound, name: str, rows: Sequence[Row]
) -> None:
    intents = outbox.of_ids(connection, [row.intent_id for row in rows])
    moved = _moved(connection, target, outbound, name, [(row, intents[row.intent_id]) for row in rows])
    changes: list[tuple[Row, Change]] = []
    with connection.transaction():
        for row in rows:
            kind, intent = cast("ChangeKind", row.change), intents[row.intent_id]
            if row.intent_id in moved or not outbox.mark_sent(
                connection, row.intent_id, kind, row.target_key, row.after
            ):
                plan_ledger.set_outcome(connection, row, "moved", moved.get(row.intent_id))
                continue
            fields = from_json(row.after, outbound.place.fields)
            change = Change(intent.idempotency_key, kind, intent.reference, row.target_key, fields, row.version)
            changes.append((row, change))
    if not changes:
        return
    outcomes = outbound.apply([change for _, change in changes])  # `sent` is committed
    back = _read_back(outbound, outcomes)
    done = list(zip(changes, outcomes, strict=True))
    with connection.transaction():
        for (row, change), outcome in done:
            _record(connection, row, change, outcome, back)
    if unsent := [outcome for outcome in outcomes if outcome.result is Result.NOT_SENT]:
        raise Retriable(
            f"{target.target}: {unsent[0].reason or 'the target cannot be reached'}. {len(unsent)} changes of "
            f"{outbound.place.object} were not sent, and are still intended; the next attempt goes on with them."
        )


def _moved(
    connection: psycopg.Connection,
    target: Target,
    outbound: Outbound,
    name: str,
    rows: Sequence[tuple[Row, Intent]],
) -> dict[int, str]:
    """The rows whose record is no longer as it was when they were planned, and why."""
    moved: dict[int, str] = {}
    current = read_keys(outbound, [row.target_key for row, _ in rows if row.target_key])
    creates = [(row, intent) for row, intent in rows if row.change == "create"]
    there = find_references(outbound, [intent.reference for _, intent in creates]) if creates else {}
    golden = read_golden(connection, target, name, [row.golden_id for row, _ in creates]) if creates else {}
    for row, intent in rows:
        if intent.state != "intended":
            moved[row.intent_id] = "a newer version of the golden record is intended"
        elif row.change == "create":
            matches = match_values(target.objects[name], golden[row.golden_id])
            if intent.reference in there or any(outbound.match(field, value) for field, value in matches):
                moved[row.intent_id] = "the target has a record of it now"
        elif _differs(row, current.get(row.target_key or ""), outbound):
            moved[row.intent_id] = "the target's record has changed since it was planned"
    return moved


def _differs(row: Row, current: Current | None, outbound: Outbound) -> bool:
    if current is None or current.version != row.version:
        return True
    before = from_json(row.before, outbound.place.fields)
    return not all(equal(value, current.fields.get(name)) for name, value in before.items())


def _read_back(outbound: Outbound, outcomes: Sequence[Outcome]) -> dict[str, Current] | None:
    """What the target has of what was surely written; None when it cannot be asked."""
    keys = [outcome.key for outcome in outcomes if outcome.result is Result.DONE and outcome.key]
    try:
        return read_keys(outbound, keys)
    except Retriable:
        return None


def _record(
    connection: psycopg.Connection, row: Row, change: Change, outcome: Outcome, back: Mapping[str, Current] | None
) -> None:
    key, intent_id = outcome.key or change.key, row.intent_id
    match outcome.result:
        case Result.DONE if back is not None and key is not None:
            if wrong := not_as_sent(change.kind, change.reference, change.fields, back.get(key)):
                outbox.refuse(connection, intent_id, wrong, key)
                plan_ledger.set_outcome(connection, row, "refused", wrong)
            else:
                outbox.confirm(connection, intent_id, key)
                plan_ledger.set_outcome(connection, row, "confirmed")
        case Result.DONE | Result.AMBIGUOUS:
            outbox.leave_ambiguous(connection, intent_id, outcome.reason, key)
            plan_ledger.set_outcome(connection, row, "ambiguous", outcome.reason)
        case Result.REFUSED:
            outbox.refuse(connection, intent_id, outcome.reason or "the target refused it")
            plan_ledger.set_outcome(connection, row, "refused", outcome.reason)
        case Result.MOVED:
            outbox.intend_again(connection, intent_id, outcome.reason)
            plan_ledger.set_outcome(connection, row, "moved", outcome.reason)
        case Result.NOT_SENT:
            outbox.intend_again(connection, intent_id, outcome.reason)


def not_as_sent(kind: ChangeKind, reference: str, sent: Mapping[str, Value], current: Current | None) -> str | None:
    """Why what the target has is not what it was sent; None where it is."""
    if kind == "delete":
        return None if current is None else "the target said that it is deleted, and still has it"
    if current is None:
        return "the target said that it is written, and does not have it"
    if current.reference != reference:
        return "the target did not keep our reference: let its field hold the whole text, and be unique"
    if other := sorted(name for name, value in sent.items() if not equal(value, current.fields.get(name))):
        return f"the target holds something else than it was sent in {', '.join(other)}: correct the format"
    return None
