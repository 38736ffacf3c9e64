"""How a target stands: what is open in its outbox, what waits for somebody, its newest plans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from onefold.warehouse.rows import one_row
from onefold.write_back.plan_ledger import Plan, newest_plans

_COUNTS = "select state, count(*) from ops.outbox where target = %s group by 1 order by 1"
_LEFT = """
select count(*) from ops.outbox as o
where o.target = %s and o.wanted = 'leave' and o.change = 'nothing' and not exists (
    select from ops.outbox as newer where newer.target = o.target and newer.object = o.object
        and newer.golden_id = o.golden_id and newer.intent_id > o.intent_id)
"""
_REFUSED = """
select intent_id, object, golden_id, reason, ended_at from ops.outbox
where target = %s and state = 'refused' order by intent_id limit %s
"""


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that waits until somebody has fixed something, and replays it."""

    intent_id: int
    object: str
    golden_id: UUID
    reason: str
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """Counts of intents by state, the first refused ones, how many records are left there though their golden record
    no longer meets `where`, and the newest plans."""

    target: str
    intents: dict[str, int]
    refused: list[Refused]
    left: int
    plans: list[Plan]


def target_status(connection: psycopg.Connection, target: str, limit: int = 20) -> TargetStatus:
    """How the target stands; `limit` refused records and plans at most."""
    counts: dict[str, int] = dict(connection.execute(_COUNTS, (target,)).fetchall())
    with connection.cursor(row_factory=class_row(Refused)) as cursor:
        refused = cursor.execute(_REFUSED, (target, limit)).fetchall()
    left = int(one_row(connection.execute(_LEFT, (target,)))[0])
    return TargetStatus(target, counts, refused, left, newest_plans(connection, target, limit))
