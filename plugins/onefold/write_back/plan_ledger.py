"""ops.write_back_plan: plans, and what each does, row by row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from onefold.catalog.target import Target
from onefold.errors import Fatal
from onefold.load.ledger import Run
from onefold.warehouse.rows import one_row
from onefold.write_back.decide import Decision, Effect
from onefold.write_back.outbox import Intent
from onefold.write_back.shown import Shown
from onefold.write_back.values import to_json

_PLAN = """select plan_id, target, state, catalog, needs_approval, counts, dag_id, run_id, actor, created_at, ended_at,
    reason from ops.write_back_plan"""
_ROWS = """select plan_id, intent_id, object, golden_id, change, target_key, version, before, after, replaced, shown,
    asks, reason, outcome from ops.write_back_plan_row"""
WRITES = ("create", "update", "delete")
_CLOSE = """
update ops.write_back_plan set state = 'planned', needs_approval = %(needs_approval)s, counts = (
    select coalesce(jsonb_object_agg(change, n), '{}') || jsonb_build_object('asks', coalesce(sum(asks), 0))
    from (select change, count(*) as n, count(*) filter (where asks <> '{}') as asks
        from ops.write_back_plan_row where plan_id = %(plan)s group by 1) as of_change)
where plan_id = %(plan)s
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """One row of ops.write_back_plan. `counts`: how many rows create, update, …, and how many ask a person; `reason`:
    why it has ended without being executed."""

    plan_id: int
    target: str
    state: str
    catalog: str
    needs_approval: bool | None
    counts: dict[str, int]
    dag_id: str
    run_id: str
    actor: str
    created_at: datetime
    ended_at: datetime | None
    reason: str | None

    @property
    def subject(self) -> str:
        """How approvals and audit events name it."""
        return f"writeback:{self.plan_id}"

    @property
    def writes(self) -> int:
        """How many records it writes."""
        return sum(self.counts.get(change, 0) for change in WRITES)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a plan: what it does with one intent. Its repr shows no values."""

    plan_id: int
    intent_id: int
    object: str
    golden_id: UUID
    change: Effect
    target_key: str | None
    version: str | None
    before: dict[str, Any] = field(repr=False)
    after: dict[str, Any] = field(repr=False)
    replaced: dict[str, list[str]]
    shown: Shown
    asks: list[str]
    reason: str | None
    outcome: str | None


def catalog_hash(target: Target) -> str:
    """A hash of the target's whole catalogue file: a plan is for that one alone."""
    said = json.dumps(target.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def open_plan(connection: psycopg.Connection, target: Target, run: Run) -> int:
    """A new plan of the target; returns its number."""
    inserted = connection.execute(
        "insert into ops.write_back_plan (target, catalog, dag_id, run_id, actor) values (%s, %s, %s, %s, %s)"
        " returning plan_id",
        (target.target, catalog_hash(target), run.dag_id, run.run_id, run.actor),
    )
    return int(one_row(inserted)[0])


def add_rows(connection: psycopg.Connection, plan_id: int, rows: Sequence[tuple[Intent, Decision, Shown]]) -> None:
    """Store what was decided, and what of it is shown."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.write_back_plan_row (plan_id, intent_id, object, golden_id, change, target_key, version,"
            " before, after, replaced, shown, asks, reason)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    plan_id,
                    intent.intent_id,
                    intent.object,
                    intent.golden_id,
                    done.effect,
                    done.key,
                    done.version,
                    Jsonb(to_json(done.before)),
                    Jsonb(to_json(done.after)),
                    Jsonb({name: list(signs) for name, signs in done.replaced.items()}),
                    Jsonb(shown),
                    list(done.asks),
                    done.reason,
                )
                for intent, done, shown in rows
            ],
        )


def count_writes(connection: psycopg.Connection, plan_id: int) -> tuple[int, int, int]:
    """How many rows the plan has, how many of them write, and how many of these ask a person."""
    found = connection.execute(
        "select count(*), count(*) filter (where change = any (%(writes)s)),"
        " count(*) filter (where change = any (%(writes)s) and asks <> '{}')"
        " from ops.write_back_plan_row where plan_id = %(plan)s",
        {"writes": list(WRITES), "plan": plan_id},
    )
    rows, writes, asks = one_row(found)
    return int(rows), int(writes), int(asks)


def move_writes(connection: psycopg.Connection, plan_id: int, to: int, *, that_ask: bool) -> None:
    """Move the rows that write to another plan; `that_ask`: those alone of which a person is asked."""
    connection.execute(
        "update ops.write_back_plan_row set plan_id = %s"
        " where plan_id = %s and change = any (%s) and (not %s or asks <> '{}')",
        (to, plan_id, list(WRITES), that_ask),
    )


def close_planning(connection: psycopg.Connection, plan_id: int, *, needs_approval: bool) -> Plan:
    """All rows are there: it can be approved and executed."""
    connection.execute(_CLOSE, {"plan": plan_id, "needs_approval": needs_approval})
    return get_plan(connection, plan_id)


def end_plan(connection: psycopg.Connection, plan_id: int, state: str, reason: str | None = None) -> None:
    """It was executed, or is closed for this reason."""
    connection.execute(
        "update ops.write_back_plan set state = %s, reason = %s, ended_at = clock_timestamp() where plan_id = %s",
        (state, reason, plan_id),
    )


def delete_rows_of_closed(connection: psycopg.Connection, target: str) -> None:
    """Of plans that were never executed no values stay."""
    connection.execute(
        "delete from ops.write_back_plan_row as r using ops.write_back_plan as p"
        " where p.plan_id = r.plan_id and p.target = %s and p.state in ('superseded', 'turned_down', 'expired')",
        (target,),
    )


def get_plan(connection: psycopg.Connection, plan_id: int) -> Plan:
    """The plan. Raises Fatal when there is none of that number."""
    with connection.cursor(row_factory=class_row(Plan)) as cursor:
        found = cursor.execute(f"{_PLAN} where plan_id = %s", (plan_id,)).fetchone()
    if found is None:
        raise Fatal(f"There is no write-back plan {plan_id}. The newest: bin/onefold write-back TARGET --status.")
    return found


def plans_of_run(connection: psycopg.Connection, dag_id: str, run_id: str) -> list[Plan]:
    """The plans that the run has made, in their order; none when nothing was intended."""
    with connection.cursor(row_factory=class_row(Plan)) as cursor:
        return cursor.execute(
            f"{_PLAN} where dag_id = %s and run_id = %s order by plan_id", (dag_id, run_id)
        ).fetchall()


def open_plans(connection: psycopg.Connection, target: str) -> list[Plan]:
    """The target's plans that have not ended, in their order."""
    with connection.cursor(row_factory=class_row(Plan)) as cursor:
        return cursor.execute(
            f"{_PLAN} where target = %s and state in ('planning', 'planned') order by plan_id", (target,)
        ).fetchall()


def newest_plans(connection: psycopg.Connection, target: str, limit: int) -> list[Plan]:
    """The newest plans of the target, the newest first."""
    with connection.cursor(row_factory=class_row(Plan)) as cursor:
        return cursor.execute(f"{_PLAN} where target = %s order by plan_id desc limit %s", (target, limit)).fetchall()


def rows_of(connection: psycopg.Connection, plan_id: int, limit: int | None = None) -> list[Row]:
    """The plan's rows in their order, without those that do nothing."""
    with connection.cursor(row_factory=class_row(Row)) as cursor:
        return cursor.execute(
            f"{_ROWS} where plan_id = %s and change <> 'nothing' order by intent_id limit %s", (plan_id, limit)
        ).fetchall()


def open_objects(connection: psycopg.Connection, plan_id: int) -> list[str]:
    """The objects of which rows that write have no outcome yet."""
    found = connection.execute(
        "select distinct object from ops.write_back_plan_row"
        " where plan_id = %s and outcome is null and change = any (%s) order by 1",
        (plan_id, list(WRITES)),
    ).fetchall()
    return [name for (name,) in found]


def open_rows(connection: psycopg.Connection, plan_id: int, name: str, after: int, limit: int) -> list[Row]:
    """The next rows of an object that write and have no outcome yet."""
    with connection.cursor(row_factory=class_row(Row)) as cursor:
        return cursor.execute(
            f"{_ROWS} as r where plan_id = %s and object = %s and intent_id > %s and outcome is null"
            " and change = any (%s)"
            " and exists (select from ops.write_back_plan as p where p.plan_id = r.plan_id and p.state = 'planned')"
            " order by intent_id limit %s",
            (plan_id, name, after, list(WRITES), limit),
        ).fetchall()


def set_outcome(connection: psycopg.Connection, row: Row, outcome: str, reason: str | None = None) -> None:
    """What became of the row."""
    connection.execute(
        "update ops.write_back_plan_row set outcome = %s, reason = coalesce(%s, reason)"
        " where plan_id = %s and intent_id = %s",
        (outcome, reason, row.plan_id, row.intent_id),
    )


def resolve_outcome(connection: psycopg.Connection, intent_id: int, outcome: str) -> None:
    """What was found out later of an ambiguous row."""
    connection.execute(
        "update ops.write_back_plan_row set outcome = %s where intent_id = %s and outcome = 'ambiguous'",
        (outcome, intent_id),
    )
