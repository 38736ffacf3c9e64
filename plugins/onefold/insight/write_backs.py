"""Write-back as people see it: how each target stands, its plans row by row, and what did not get there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.insight.page import Page, bounded, page_of
from onefold.write_back.plan_ledger import WRITES


@dataclass(frozen=True, slots=True)
class TargetState:
    """How one target stands: how many records are on their way (`open`), of how many nobody knows whether they arrived
    (`ambiguous`), and how many wait for a person (`refused`); how many plans wait for a decision; the newest plan."""

    target: str
    open: int
    ambiguous: int
    refused: int
    waiting_plans: int
    last_plan: int | None
    last_state: str | None
    last_at: datetime | None
    last_dag: str | None
    last_run: str | None

    @property
    def waits(self) -> bool:
        """Whether something waits for a person."""
        return bool(self.refused or self.waiting_plans)


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """One plan. `asks`: it waits for a decision; else `decision` and `decided_by` tell the newest one."""

    plan_id: int
    target: str
    state: str
    counts: dict[str, int]
    needs_approval: bool | None
    dag_id: str
    run_id: str
    actor: str
    created_at: datetime
    ended_at: datetime | None
    decision: str | None
    decided_by: str | None
    asks: bool

    @property
    def subject(self) -> str:
        """How approvals and audit events name it."""
        return f"writeback:{self.plan_id}"

    @property
    def counted(self) -> list[tuple[str, int]]:
        """What it does, with how many rows: without what it leaves as it is."""
        named = {**{name: name for name in WRITES}, "leave": "left there", "refuse": "refused"}
        return [(text, self.counts[name]) for name, text in named.items() if self.counts.get(name)]


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One row of a plan. `fields` have each field's value before and after, as far as they may be shown; `replaced` its
    characters that the target does not have, with what is written for them. Its repr shows no values."""

    intent_id: int
    object: str
    entity: str
    golden_id: UUID
    change: str
    target_key: str | None
    fields: dict[str, list[Any]] = field(repr=False)
    replaced: dict[str, list[str]]
    asks: list[str]
    reason: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class NotWritten:
    """A record that did not get to its target: refused, or ambiguous (since `at`)."""

    intent_id: int
    target: str
    object: str
    entity: str
    golden_id: UUID
    target_key: str | None
    wanted: str
    state: str
    reason: str | None
    attempts: int
    at: datetime


_TARGETS = """
with counted as (
    select target, state, count(*) as records from ops.outbox
    where state in ('intended', 'sent', 'ambiguous', 'refused') group by 1, 2
), named as (select unnest(%(targets)s::text[]) as target union select target from counted)
select named.target,
    coalesce(sum(records) filter (where counted.state in ('intended', 'sent')), 0)::bigint as open,
    coalesce(sum(records) filter (where counted.state = 'ambiguous'), 0)::bigint as ambiguous,
    coalesce(sum(records) filter (where counted.state = 'refused'), 0)::bigint as refused,
    (select count(*) from ops.write_back_plan as p where p.target = named.target and p.state = 'planned'
        and exists (select from ops.approval as a where a.subject = 'writeback:' || p.plan_id and a.decision is null)
    ) as waiting_plans,
    last.plan_id as last_plan, last.state as last_state, last.created_at as last_at, last.dag_id as last_dag,
    last.run_id as last_run
from named left join counted using (target)
left join lateral (
    select * from ops.write_back_plan as p where p.target = named.target order by plan_id desc limit 1) as last on true
group by named.target, last.plan_id, last.state, last.created_at, last.dag_id, last.run_id order by 1
"""
_PLANS = """
select p.plan_id, p.target, p.state, p.counts, p.needs_approval, p.dag_id, p.run_id, p.actor, p.created_at, p.ended_at,
    asked.decision, asked.decided_by,
    p.state = 'planned' and asked.approval_id is not null and asked.decision is null as asks
from ({plans}) as p
left join lateral (
    select * from ops.approval as a where a.subject = 'writeback:' || p.plan_id order by approval_id desc limit 1
) as asked on true
order by asks desc, p.plan_id desc limit %(rows)s
"""
_NEWEST = """
(select * from ops.write_back_plan where state in ('planning', 'planned') and {which}
    order by plan_id desc limit %(rows)s)
union (select * from ops.write_back_plan where {which} order by plan_id desc limit %(rows)s)
"""
_ROWS = """
select r.intent_id, r.object, o.entity, r.golden_id, r.change, r.target_key, {fields} as fields, r.replaced, r.asks,
    r.reason, r.outcome
from ops.write_back_plan_row as r join ops.outbox as o using (intent_id)
where r.plan_id = %(plan)s and r.change <> 'nothing' and r.intent_id > %(after)s order by r.intent_id limit %(rows)s
"""
_SHOWN = sql.SQL("r.shown")
_WITH_PEOPLE = sql.SQL(
    "(select coalesce(jsonb_object_agg(name, jsonb_build_array(r.before -> name, r.after -> name)), '{}')"
    " from (select jsonb_object_keys(r.before) union select jsonb_object_keys(r.after)) as each (name))"
)
VALUES = sql.SQL("select before, after from ops.write_back_plan_row where plan_id = 0")
"""By what the reading of a plan's values is recorded."""
_NOT_WRITTEN = """
select o.* from unnest(%(targets)s::text[]) as named (target), unnest(%(states)s::text[]) as of (state)
cross join lateral (
    select intent_id, target, object, entity, golden_id, target_key, wanted, state, reason, attempts,
        coalesce(unknown_since, ended_at, created_at) as at
    from ops.outbox where outbox.target = named.target and outbox.state = of.state
        and outbox.state in ('intended', 'sent', 'ambiguous', 'refused')
        and (%(before)s::bigint is null or intent_id < %(before)s)
        and (%(intent)s::bigint is null or intent_id = %(intent)s)
    order by intent_id desc limit %(rows)s) as o
order by o.intent_id desc limit %(rows)s
"""


def target_states(connection: psycopg.Connection, targets: Iterable[str]) -> list[TargetState]:
    """These targets, and those that are in no catalogue any more but have something open, by name."""
    with connection.cursor(row_factory=class_row(TargetState)) as cursor:
        return cursor.execute(_TARGETS, {"targets": list(targets)}).fetchall()


def plans(connection: psycopg.Connection, target: str | None = None, limit: int = 20) -> list[PlanSummary]:
    """The newest plans of a target, or of all; those that wait for a decision first."""
    which = sql.SQL("true" if target is None else "target = %(target)s")
    return _plans(connection, sql.SQL(_NEWEST).format(which=which), {"target": target, "rows": bounded(limit)})


def plan(connection: psycopg.Connection, plan_id: int) -> PlanSummary | None:
    """The plan of this number; None when there is none."""
    query = sql.SQL("select * from ops.write_back_plan where plan_id = %(plan)s")
    return next(iter(_plans(connection, query, {"plan": plan_id, "rows": 1})), None)


def plan_rows(
    connection: psycopg.Connection, plan_id: int, *, after: int = 0, limit: int = 50, people: bool = False
) -> tuple[list[PlanRow], int | None]:
    """Rows of a plan that do something, in their order, and after which the next are asked for; None: these are the
    last. With `people` also their personal values, which needs a member of onefold_pii."""
    query = sql.SQL(_ROWS).format(fields=_WITH_PEOPLE if people else _SHOWN)
    with connection.cursor(row_factory=class_row(PlanRow)) as cursor:
        given = {"plan": plan_id, "after": after, "rows": bounded(limit) + 1}
        rows: Sequence[PlanRow] = cursor.execute(query, given).fetchall()
    return list(rows[:limit]), rows[limit - 1].intent_id if len(rows) > limit else None


def outcomes(connection: psycopg.Connection, plan_id: int) -> Mapping[str, int]:
    """What became of the rows of a plan that do something, by outcome; without those that have none yet."""
    return dict(
        connection.execute(
            "select outcome, count(*) from ops.write_back_plan_row"
            " where plan_id = %s and change <> 'nothing' and outcome is not null group by 1 order by 1",
            (plan_id,),
        ).fetchall()
    )


def not_written(
    connection: psycopg.Connection,
    targets: Sequence[str],
    *,
    before: int | None = None,
    intent: int | None = None,
    states: Sequence[str] = ("refused", "ambiguous"),
    limit: int = 25,
) -> Page[NotWritten]:
    """What did not get to these targets, the newest first; with `intent` that one only."""
    given = {
        "targets": list(targets),
        "states": list(states),
        "before": before,
        "intent": intent,
        "rows": bounded(limit) + 1,
    }
    with connection.cursor(row_factory=class_row(NotWritten)) as cursor:
        rows = cursor.execute(_NOT_WRITTEN, given).fetchall()
    return page_of(rows, limit, lambda row: row.intent_id)


def _plans(
    connection: psycopg.Connection, which: sql.Composable, given: Mapping[str, int | str | None]
) -> list[PlanSummary]:
    with connection.cursor(row_factory=class_row(PlanSummary)) as cursor:
        return cursor.execute(sql.SQL(_PLANS).format(plans=which), given).fetchall()
