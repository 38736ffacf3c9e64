"""Finds out what became of what was sent and not answered: by searching the target, once nothing of it runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import cast

import psycopg

from onefold.catalog.system import System
from onefold.catalog.target import Target
from onefold.connectors.outbound.contract import ChangeKind, Current, Outbound
from onefold.write_back import outbox, plan_ledger
from onefold.write_back.execute import not_as_sent
from onefold.write_back.outbox import Intent
from onefold.write_back.place import OpenObject
from onefold.write_back.search import find_references, read_keys
from onefold.write_back.values import from_json

MOST_ATTEMPTS = 5
"""How often a change is sent that leaves no trace: some targets break off where they should refuse."""


def longest_wait(target: Target, system: System) -> timedelta:
    """How long after an unanswered request nothing of it runs any more: its time-out and the target's longest run."""
    return (target.limits.timeout or system.limits.timeout) + target.limits.longest_run


def resolve_ambiguous(connection: psycopg.Connection, target: Target, system: System, open_object: OpenObject) -> int:
    """Find out about all that can be asked about now; returns how many. Call it with the write_lock.

    What is found as it was sent is confirmed; what is not there is intended again; what is there several times, or by
    half, is not touched. Raises Retriable when the target cannot be asked.
    """
    with connection.transaction():
        outbox.adopt_orphans(connection, target.target)
    intents = outbox.due(connection, target.target, longest_wait(target, system))
    by_object = sorted(intents, key=lambda intent: intent.object)
    for name, some in groupby(by_object, key=lambda intent: intent.object):
        if name in target.objects:
            with open_object(name) as outbound:
                _resolve(connection, outbound, list(some))
    return len(intents)


def _resolve(connection: psycopg.Connection, outbound: Outbound, intents: Sequence[Intent]) -> None:
    creates = [intent.reference for intent in intents if intent.change == "create"]
    by_reference = find_references(outbound, creates) if creates else {}
    by_key = read_keys(outbound, [intent.target_key for intent in intents if intent.target_key])
    with connection.transaction():
        for intent in intents:
            if intent.change == "create":
                found = by_reference.get(intent.reference, [])
            else:
                known = by_key.get(intent.target_key or "")
                found = [known] if known else []
            plan_ledger.resolve_outcome(
                connection, intent.intent_id, _record_found(connection, outbound, intent, found)
            )


def _record_found(connection: psycopg.Connection, outbound: Outbound, intent: Intent, found: Sequence[Current]) -> str:
    """Record what is now known; returns the row's outcome."""
    kind = cast("ChangeKind", intent.change)
    if len(found) > 1:
        keys = ", ".join(sorted(current.key for current in found))
        reason = f"the target has several records with our reference ({keys}): join them there, then replay"
        outbox.refuse(connection, intent.intent_id, reason)
        return "refused"
    current = found[0] if found else None
    sent = from_json(intent.sent or {}, outbound.place.fields)
    if (current is not None or kind == "delete") and not_as_sent(kind, intent.reference, sent, current) is None:
        outbox.confirm(connection, intent.intent_id, current.key if current else intent.target_key)
        return "confirmed"
    if intent.attempts >= MOST_ATTEMPTS:
        reason = (
            f"it was sent {intent.attempts} times, and each time the target gave no clear answer and did not write it: "
            "look into the target's log, correct what it says, then replay"
        )
        outbox.refuse(connection, intent.intent_id, reason, current.key if current else None)
        return "refused"
    if current is None and kind != "delete":
        outbox.intend_again(connection, intent.intent_id, "it was not written")
        return "not_sent"
    outbox.intend_again(connection, intent.intent_id, "the target has something else", current.key if current else None)
    return "moved"
