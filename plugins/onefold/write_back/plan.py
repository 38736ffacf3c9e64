"""Plans what a write-back would do, row by row, from what the target has now. Nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from uuid import UUID

import psycopg

from onefold.audit import AuditEvent, append
from onefold.catalog.entity import Entity
from onefold.catalog.target import Target, TargetObject
from onefold.connectors.outbound.contract import Outbound
from onefold.load.ledger import Run
from onefold.write_back import outbox, plan_ledger
from onefold.write_back.approval import ask_approval, needs_approval
from onefold.write_back.decide import Decision, decide_delete, decide_left, decide_write, refuse
from onefold.write_back.erased import erased_among
from onefold.write_back.golden import Golden, owners_of, read_golden
from onefold.write_back.outbox import Intent
from onefold.write_back.place import OpenObject
from onefold.write_back.plan_ledger import WRITES, Plan
from onefold.write_back.search import AT_ONCE, find_records
from onefold.write_back.shown import Shown, shown_attributes, shown_values
from onefold.write_back.waiting import close_plans


def make_plan(
    connection: psycopg.Connection,
    target: Target,
    entities: Mapping[str, Entity],
    open_object: OpenObject,
    run: Run,
) -> tuple[Plan, ...]:
    """Plan all that is intended and in no plan that waits for an answer; none when there is nothing.

    What needs an approval is a plan of its own, about which a person is asked, and holds nothing else back. Call it
    with the write_lock, over a connection in autocommit. Raises Retriable or Fatal when the target cannot be asked.
    """
    with connection.transaction():
        close_plans(connection, target)
    if not outbox.ready(connection, target.target, 0, 1):
        return ()
    with connection.transaction():
        plan_id = plan_ledger.open_plan(connection, target, run)
    attributes = shown_attributes(entities)
    claimed: dict[tuple[str, str], Intent] = {}
    after = 0
    while intents := outbox.ready(connection, target.target, after, AT_ONCE):
        after = intents[-1].intent_id
        for name, some in groupby(sorted(intents, key=lambda intent: intent.object), key=lambda intent: intent.object):
            rows = _decide(connection, target, name, list(some), open_object, claimed)
            with connection.transaction():
                plan_ledger.add_rows(connection, plan_id, _with_shown(target.objects.get(name), rows, attributes))
    with connection.transaction():
        plans = _by_approval(connection, target, plan_id, run)
        for plan in plans:
            payload = {name: plan.counts.get(name, 0) for name in _COUNTED}
            append(
                connection,
                AuditEvent(
                    run.actor, "write_back.plan", plan.subject, from_="conformed", to=target.target, payload=payload
                ),
            )
            if plan.needs_approval:
                ask_approval(connection, plan, target)
    return plans


_COUNTED = (*WRITES, "leave", "nothing", "refuse", "asks")


def _by_approval(connection: psycopg.Connection, target: Target, plan_id: int, run: Run) -> tuple[Plan, ...]:
    """The plan, and the one of its writes that need an approval: they are all, or those about which a rule asks."""
    rows, writes, asks = plan_ledger.count_writes(connection, plan_id)
    every = needs_approval(target, writes)
    wait = writes if every else asks
    if wait in (0, rows):
        return (plan_ledger.close_planning(connection, plan_id, needs_approval=wait > 0),)
    waiting = plan_ledger.open_plan(connection, target, run)
    plan_ledger.move_writes(connection, plan_id, waiting, that_ask=not every)
    return (
        plan_ledger.close_planning(connection, plan_id, needs_approval=False),
        plan_ledger.close_planning(connection, waiting, needs_approval=True),
    )


def _with_shown(
    each: TargetObject | None, rows: Sequence[tuple[Intent, Decision]], attributes: Mapping[str, frozenset[str]]
) -> list[tuple[Intent, Decision, Shown]]:
    return [
        (intent, decision, shown_values(each, decision, attributes.get(each.entity, frozenset())) if each else {})
        for intent, decision in rows
    ]


def _decide(
    connection: psycopg.Connection,
    target: Target,
    name: str,
    intents: Sequence[Intent],
    open_object: OpenObject,
    claimed: dict[tuple[str, str], Intent],
) -> list[tuple[Intent, Decision]]:
    each = target.objects.get(name)
    if each is None:
        gone = refuse(f"catalog/targets/{target.target}.yaml has no object {name} any more")
        return [(intent, gone) for intent in intents]
    golden = read_golden(connection, target, name, [intent.golden_id for intent in intents])
    with open_object(name) as outbound:
        erased = erased_among(connection, each.entity, list(golden))
        decided = _decide_each(each, intents, golden, erased, outbound)
    owners = owners_of(connection, target, name, [decision.key for _, decision in decided if decision.key])
    rows = []
    for intent, decision in decided:
        place, owner = (name, decision.key or ""), owners.get(decision.key or "", intent.golden_id)
        linked = decision.effect != "refuse" and decision.key is not None
        if linked and (owner != intent.golden_id or claimed.setdefault(place, intent) is not intent):
            text = f"record {decision.key} is another golden record's too: they are two here and one there"
            rows.append((intent, refuse(text, decision.key)))
        else:
            rows.append((intent, decision))
    return rows


def _decide_each(
    each: TargetObject,
    intents: Sequence[Intent],
    golden: Mapping[UUID, Golden],
    erased: Collection[UUID],
    outbound: Outbound,
) -> list[tuple[Intent, Decision]]:
    found = find_records(outbound, each, golden, {intent.golden_id: intent.reference for intent in intents})
    rows = []
    for intent in intents:
        record, there = golden[intent.golden_id], found[intent.golden_id]
        if intent.wanted == "delete":
            decision = decide_delete(there, intent.reference)
            if intent.golden_id in erased:
                decision = _without_values(each, decision)
            elif decision.effect == "delete" and "delete" not in each.may:
                decision = refuse(f"{_reason(intent)}, and none may be deleted by us: {_BY_HAND}", decision.key)
        elif intent.golden_id in erased:
            decision = Decision("nothing", reason="it is a person's who was erased")
        elif intent.wanted == "leave":
            decision = decide_left(each, record, there, intent.reference)
        elif record.values:
            decision = decide_write(each, record, there, intent.reference)
        else:
            decision = Decision("nothing", reason="the golden record has ended")
        rows.append((intent, _asking(each, intent, decision)))
    return rows


_BY_HAND = "somebody deletes the record there, then replays"


def _reason(intent: Intent) -> str:
    return f"rollback {intent.rollback_id} has taken back what was made there" if intent.rollback_id else "it has ended"


def _asking(each: TargetObject, intent: Intent, decision: Decision) -> Decision:
    """What is written because of a rollback is asked about, whatever `approval` says: it is the counter-plan to what
    was written before."""
    if intent.rollback_id is None or decision.effect not in WRITES:
        return decision
    reason = f"after rollback {intent.rollback_id}"
    return replace(decision, asks=tuple(decision.after) or (each.reference,), reason=reason)


def _without_values(each: TargetObject, decision: Decision) -> Decision:
    """The deletion of an erased person's record: what it holds does not come back into the warehouse, and a person is
    asked, whatever `approval` says."""
    asks = (each.reference,) if decision.effect == "delete" else ()
    return replace(decision, before={}, asks=asks)
