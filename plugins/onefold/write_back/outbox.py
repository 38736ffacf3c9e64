"""ops.outbox: one row per intent, and how its state goes on. Every function runs in the caller's transaction.

intended → sent → confirmed | ambiguous | refused. `sent` is committed before the request leaves. An ambiguous one
is looked for at the target, and is confirmed, or intended again. A newer version of the record supersedes what was not
sent yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from onefold.connectors.outbound.contract import ChangeKind
from onefold.warehouse.advisory_lock import awaited_lock

Wanted = Literal["write", "delete", "leave"]
_COLUMNS = """select intent_id, idempotency_key, object, golden_id, wanted, reference, state, change, target_key, sent,
    unknown_since, attempts, (
        select max(r.rollback_id) from ops.publish_load as l join ops.rollback as r on l.load_id = any (r.loads)
        where l.publish_id = o.publish_id and l.undone and r.undoes is null and r.state in ('done', 'undone')
    ) as rollback_id from ops.outbox as o"""
_IN_NO_PLAN = """not exists (select from ops.write_back_plan_row as r join ops.write_back_plan as p using (plan_id)
    where r.intent_id = o.intent_id and p.state = 'planned')"""
# An attempt whose process has ended says nothing of the target.
_ORPHANED = """
with orphaned as (
    update ops.outbox set state = 'ambiguous', unknown_since = clock_timestamp(), attempts = attempts - 1,
        reason = 'the process that sent it has ended before the answer came'
    where target = %s and state = 'sent' returning intent_id)
update ops.write_back_plan_row as r set outcome = 'ambiguous' from orphaned
where r.intent_id = orphaned.intent_id and r.outcome is null
"""


@dataclass(frozen=True, slots=True)
class Intent:
    """One row of the outbox. `sent` has the fields that were sent last; `attempts` says how often it was sent by a
    process that lived to see what came of it. `rollback_id`: the rollback after which the publish came that intended
    it; None for most."""

    intent_id: int
    idempotency_key: str
    object: str
    golden_id: UUID
    wanted: Wanted
    reference: str
    state: str
    change: ChangeKind | Literal["nothing"] | None
    target_key: str | None
    sent: dict[str, Any] | None
    unknown_since: datetime | None
    attempts: int
    rollback_id: int | None


@contextmanager
def write_lock(connection: psycopg.Connection, target: str, *, seconds: float = 60) -> Iterator[None]:
    """The right to write to the target, within a with block. Raises Retriable when another session has it for longer
    than so many seconds."""
    busy = f"Another write-back to {target} is running; nothing was changed. Wait for it to end and start again."
    with awaited_lock(connection, lock_name(target), namespace=0, seconds=seconds, busy=busy):
        connection.execute("reset lock_timeout")
        yield


def lock_name(target: str) -> str:
    """The name of the write_lock."""
    return f"onefold write-back {target}"


def ready(connection: psycopg.Connection, target: str, after: int, limit: int) -> list[Intent]:
    """The next intents that may be planned, in their order: those that are in no plan yet, and of whose record nothing
    is under way."""
    with connection.cursor(row_factory=class_row(Intent)) as cursor:
        return cursor.execute(
            f"""{_COLUMNS} where target = %s and state = 'intended' and intent_id > %s and not exists (
                select from ops.outbox as older where older.target = o.target and older.object = o.object
                    and older.golden_id = o.golden_id and older.state in ('sent', 'ambiguous'))
                and {_IN_NO_PLAN}
            order by intent_id limit %s""",
            (target, after, limit),
        ).fetchall()


def of_ids(connection: psycopg.Connection, ids: Sequence[int]) -> dict[int, Intent]:
    """These intents by their numbers."""
    with connection.cursor(row_factory=class_row(Intent)) as cursor:
        found = cursor.execute(f"{_COLUMNS} where intent_id = any (%s)", (list(ids),)).fetchall()
    return {intent.intent_id: intent for intent in found}


def adopt_orphans(connection: psycopg.Connection, target: str) -> None:
    """What a process had sent that has ended since is ambiguous from now on. Call it with the write_lock."""
    connection.execute(_ORPHANED, (target,))


def due(connection: psycopg.Connection, target: str, wait: timedelta) -> list[Intent]:
    """The ambiguous intents about which the target can be asked: what it did not answer does not run any more."""
    with connection.cursor(row_factory=class_row(Intent)) as cursor:
        return cursor.execute(
            f"{_COLUMNS} where target = %s and state = 'ambiguous' and unknown_since + %s <= clock_timestamp()"
            " order by intent_id",
            (target, wait),
        ).fetchall()


def next_due(connection: psycopg.Connection, target: str, wait: timedelta) -> datetime | None:
    """When the next ambiguous intent can be resolved; None when there is none."""
    found = connection.execute(
        "select min(unknown_since) + %s from ops.outbox where target = %s and state = 'ambiguous'", (wait, target)
    ).fetchone()
    return found[0] if found else None


def mark_sent(
    connection: psycopg.Connection,
    intent_id: int,
    change: ChangeKind,
    key: str | None,
    sent: Mapping[str, Any],
) -> bool:
    """It leaves now: commit before it does. False when it is intended no more."""
    return bool(
        connection.execute(
            "update ops.outbox set state = 'sent', change = %s, target_key = coalesce(%s, target_key), sent = %s,"
            " attempts = attempts + 1, reason = null, sent_at = clock_timestamp(), unknown_since = null"
            " where intent_id = %s and state = 'intended'",
            (change, key, Jsonb(sent), intent_id),
        ).rowcount
    )


def confirm(connection: psycopg.Connection, intent_id: int, key: str | None, change: str | None = None) -> None:
    """The target has it: its values are needed no more."""
    connection.execute(
        "update ops.outbox set state = 'confirmed', target_key = coalesce(%s, target_key), sent = null, reason = null,"
        " change = coalesce(%s, change), unknown_since = null, ended_at = clock_timestamp() where intent_id = %s",
        (key, change, intent_id),
    )


def refuse(connection: psycopg.Connection, intent_id: int, reason: str, key: str | None = None) -> None:
    """It waits until somebody has fixed something and replays it, or a newer version of the record comes."""
    _end_or("refused", connection, intent_id, reason[:1000], key)


def intend_again(
    connection: psycopg.Connection, intent_id: int, reason: str | None = None, key: str | None = None
) -> None:
    """Surely not written, or not all of it: the next plan has it, or the newer intent that there is of its record."""
    _end_or("intended", connection, intent_id, reason, key)


# Without a digest there is a newer version of the record (intents.py), or its person was erased (erased.py).
def _end_or(state: str, connection: psycopg.Connection, intent_id: int, reason: str | None, key: str | None) -> None:
    connection.execute(
        """
        update ops.outbox as o set sent = null, unknown_since = null, reason = %s,
            target_key = coalesce(%s, target_key), ended_at = clock_timestamp(),
            state = case when o.digest = '' then 'superseded' else %s end
        where intent_id = %s""",
        (reason, key, state, intent_id),
    )


def leave_ambiguous(connection: psycopg.Connection, intent_id: int, reason: str | None, key: str | None = None) -> None:
    """Nobody knows whether the target has it."""
    connection.execute(
        "update ops.outbox set state = 'ambiguous', reason = %s, target_key = coalesce(%s, target_key),"
        " unknown_since = clock_timestamp() where intent_id = %s",
        (reason, key, intent_id),
    )


def replay(connection: psycopg.Connection, target: str, ids: Sequence[int] = ()) -> int:
    """Intend refused ones again, these or, with none given, all of the target's; returns how many."""
    return connection.execute(
        "update ops.outbox set state = 'intended', reason = null, ended_at = null, attempts = 0"
        " where target = %s and state = 'refused' and (%s::bigint[] is null or intent_id = any (%s))",
        (target, list(ids) or None, list(ids)),
    ).rowcount
