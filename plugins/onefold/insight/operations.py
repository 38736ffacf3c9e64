"""Operations: everything that somebody, or a schedule, has asked the engine to do beside its loads; and its alerts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.errors import Fatal
from onefold.insight.page import bounded

Kind = Literal["migration", "rollback", "replay", "reconciliation", "erasure", "plan", "restore", "alert"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One of them. `about`: what it is done to; `outcome`: what came of it so far, in words.

    People and runs are named as audit events name them (audit/actor.py): `asked_by` has asked, `decided_by` has given
    the `decision` (approved, refused, withdrawn) about its newest plan. `asks`: a plan of it waits for a decision.
    `subject` is its own name there ("rollback:41"). `can_be_undone`: a rollback that is done, and no undo itself.
    `dag_id` and `run_id` are None where no run does it.
    """

    kind: Kind
    number: int
    at: datetime
    ended_at: datetime | None
    about: str
    state: str
    is_open: bool
    asked_by: str
    reason: str
    outcome: str
    subject: str
    dag_id: str | None
    run_id: str | None
    decision: str | None
    decided_by: str | None
    decided_at: datetime | None
    asks: bool
    can_be_undone: bool


@dataclass(frozen=True, slots=True)
class OperationPage:
    """Some operations, the newest first. `before` asks for the page after this one; None: this is the last."""

    rows: tuple[Operation, ...]
    before: str | None


_EACH: Mapping[Kind, str] = {
    "migration": """
        select 'migration' as kind, migration_id as number, started_at as at, ended_at,
            system || ': ' || array_to_string(streams, ', ') || to_char(window_start at time zone 'UTC', ', YYYY-MM-DD')
                || to_char(window_end at time zone 'UTC', '" to "YYYY-MM-DD') as about, state,
            state in ('planned', 'dry_run', 'approved') as is_open, actor as asked_by, reason,
            coalesce(error, '') as outcome, 'migrate' as dag_id, run_id, 'migration:' || migration_id as subject
        from ops.migration""",
    "rollback": """
        select 'rollback' as kind, rollback_id as number, planned_at as at, ended_at,
            coalesce('undoes rollback ' || undoes, concat(case cardinality(loads) when 1 then 'load ' else 'loads ' end,
                array_to_string(loads[:5], ', '), case when cardinality(loads) > 5 then ', …' end)) as about,
            state, state = 'planned' as is_open, actor as asked_by, reason, coalesce(error, '') as outcome,
            asked.dag_id, asked.run_id, 'rollback:' || rollback_id as subject
        from ops.rollback left join lateral (
            select dag_id, run_id from ops.approval as a where a.subject = 'rollback:' || rollback_id
            order by approval_id desc limit 1
        ) as asked on true""",
    "replay": """
        select 'replay' as kind, replay_id as number, started_at as at, ended_at,
            coalesce((select string_agg(key || ' ' || value, ', ') from jsonb_each_text(selection)), '') as about,
            case when ended_at is null then 'running' when refused = 0 then 'done'
                when published + superseded = 0 then 'refused' else 'refused in part' end as state,
            ended_at is null as is_open, actor as asked_by, reason,
            case when ended_at is not null then concat(published, ' of ', selected, ' published, ', superseded,
                ' superseded, ', refused, ' refused again') else '' end as outcome, dag_id, run_id,
            'replay:' || replay_id as subject
        from ops.replay""",
    "reconciliation": """
        select 'reconciliation' as kind, reconciliation_id as number, started_at as at, ended_at,
            system || '.' || stream as about,
            case when state = 'compared' and missing + changed + deleted > 0 then 'drift' else state end as state,
            state = 'comparing' as is_open, actor as asked_by, '' as reason,
            case when reason is not null then reason
                when state = 'compared' and missing + changed + deleted > 0 then
                    concat(missing, ' missing, ', changed, ' changed, ', deleted, ' deleted') else '' end as outcome,
            dag_id, run_id, 'reconciliation:' || reconciliation_id as subject
        from ops.reconciliation""",
    "erasure": """
        select 'erasure' as kind, erasure_id as number, planned_at as at, ended_at, 'one person' as about, state,
            state in ('planned', 'executing') as is_open, actor as asked_by, basis as reason,
            coalesce(error, '') as outcome, dag_id, run_id, 'erasure:' || erasure_id as subject
        from ops.erasure""",
    "plan": """
        select 'plan' as kind, plan_id as number, created_at as at, ended_at,
            'catalogue ' || left(fingerprint, 12) as about, state, state = 'planned' as is_open, actor as asked_by,
            '' as reason, case when state = 'planned' then (content ->> 'golden') || ' golden records would change'
                when publish_id is not null then 'publish ' || publish_id else '' end as outcome,
            null as dag_id, null as run_id, 'plan:' || plan_id as subject
        from ops.plan""",
    "restore": """
        select 'restore' as kind, approval_id as number, requested_at as at, decided_at as ended_at,
            'events up to ' || split_part(subject, ':', 2) || ' are given up' as about,
            coalesce(decision, 'planned') as state, decision is null as is_open, coalesce(requested_by, '') as asked_by,
            '' as reason, '' as outcome, null as dag_id, null as run_id, subject
        from ops.approval where starts_with(subject, 'restore:')""",
    "alert": """
        select 'alert' as kind, alert_id as number, first_seen as at, resolved_at as ended_at,
            kind || ': ' || subject as about, case when resolved_at is null then 'open' else 'resolved' end as state,
            resolved_at is null as is_open, '' as asked_by, '' as reason, message as outcome, null as dag_id,
            null as run_id, 'alert:' || alert_id as subject
        from ops.alert""",
}
KINDS = tuple(_EACH)
OF_DAG: Mapping[str, Kind] = {
    "migrate": "migration",
    "rollback": "rollback",
    "replay": "replay",
    "reconcile": "reconciliation",
    "erase": "erasure",
}
"""The DAGs that do operations, each with their kind."""
_SOME = """
(select * from ({each}) as o where (not %(only_open)s or is_open)
    and (%(number)s::bigint is null or o.number = %(number)s)
    and (%(run_id)s::text is null or o.run_id = %(run_id)s)
    and (%(at)s::timestamptz is null or (o.at, o.kind, o.number) < (%(at)s, %(at_kind)s, %(at_number)s))
order by at desc, number desc limit %(rows)s)"""
_WITH_DECISION = """
select o.kind, o.number, o.at, o.ended_at, o.about, o.state, o.is_open, o.asked_by, o.reason, o.outcome, o.subject,
    o.dag_id, o.run_id, asked.decision, asked.decided_by, asked.decided_at,
    asked.approval_id is not null and asked.decision is null as asks,
    o.kind = 'rollback' and o.state = 'done' and not exists (
        select from ops.rollback as r where r.rollback_id = o.number and r.undoes is not null) as can_be_undone
from ({all}) as o
left join lateral (
    select * from ops.approval as a where a.subject = o.subject order by approval_id desc limit 1
) as asked on o.kind = any(%(asked_about)s)
order by o.at desc, o.kind desc, o.number desc limit %(rows)s"""
_ASKED_ABOUT: tuple[Kind, ...] = ("migration", "rollback", "erasure", "plan", "restore")
_ASKING = """
select count(*) from ({all}) as o cross join lateral (
    select decision from ops.approval as a where a.subject = o.subject order by approval_id desc limit 1
) as asked where asked.decision is null"""
_SUBJECTS = "(select subject from ({each}) as o where is_open)"
_OPEN = "(select {kind} as kind, count(*) as operations from ({each}) as o where is_open)"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"(-?[0-9]{1,17})\.([a-z]{1,20})\.([0-9]{1,18})")


def operations(
    connection: psycopg.Connection,
    *,
    kind: Kind | None = None,
    only_open: bool = False,
    before: str | None = None,
    limit: int = 50,
) -> OperationPage:
    """The operations, the newest first. Raises Fatal when the limit is out of range, or `before` is not of a page."""
    place = _PLACE.fullmatch(before or "")
    if before and not place:
        raise Fatal(f"{before!r} is not what a page of operations gives for the next one.")
    kinds = KINDS if kind is None else (kind,)
    rows = _read(connection, kinds, bounded(limit) + 1, only_open=only_open, before=place)
    some = tuple(rows[:limit])
    return OperationPage(some, _place_of(some[-1]) if len(rows) > limit else None)


def operation(connection: psycopg.Connection, kind: Kind, number: int) -> Operation | None:
    """The operation of this kind and number; None when there is none."""
    return next(iter(_read(connection, (kind,), 1, number=number)), None)


def operation_of_run(connection: psycopg.Connection, dag_id: str, run_id: str) -> tuple[str, int] | None:
    """Kind and number of the migration or rollback that a run does; None before it has planned one."""
    found = connection.execute(
        "select 'migration', migration_id from ops.migration where %(dag_id)s = 'migrate' and run_id = %(run_id)s"
        " union all (select split_part(subject, ':', 1), split_part(subject, ':', 2)::bigint from ops.approval"
        " where dag_id = %(dag_id)s and run_id = %(run_id)s and starts_with(subject, 'rollback:')"
        " order by approval_id desc limit 1)",
        {"dag_id": dag_id, "run_id": run_id},
    ).fetchone()
    return None if found is None else (found[0], found[1])


def open_operations(connection: psycopg.Connection) -> Mapping[Kind, int]:
    """How many of each kind have not ended."""
    each = [sql.SQL(_OPEN).format(kind=kind, each=sql.SQL(query)) for kind, query in _EACH.items()]
    return dict(connection.execute(sql.SQL(" union all ").join(each)).fetchall())


def operations_of_run(
    connection: psycopg.Connection, dag_id: str, run_id: str, limit: int = 100
) -> Sequence[Operation]:
    """The operations that a run of a DAG does, the newest first; none where the DAG does none."""
    kinds = (OF_DAG[dag_id],) if dag_id in OF_DAG else ()
    return _read(connection, kinds, bounded(limit), run_id=run_id) if kinds else ()


def asking_operations(connection: psycopg.Connection) -> int:
    """How many wait for somebody's decision about a plan."""
    each = [sql.SQL(_SUBJECTS).format(each=sql.SQL(_EACH[kind])) for kind in _ASKED_ABOUT]
    row = connection.execute(sql.SQL(_ASKING).format(all=sql.SQL(" union all ").join(each))).fetchone()
    return row[0] if row else 0


def _read(
    connection: psycopg.Connection,
    kinds: tuple[Kind, ...],
    rows: int,
    *,
    only_open: bool = False,
    number: int | None = None,
    run_id: str | None = None,
    before: re.Match[str] | None = None,
) -> list[Operation]:
    given = {
        "only_open": only_open,
        "number": number,
        "run_id": run_id,
        "rows": rows,
        "asked_about": list(_ASKED_ABOUT),
        "at": _EPOCH + timedelta(microseconds=int(before[1])) if before else None,
        "at_kind": before[2] if before else None,
        "at_number": int(before[3]) if before else None,
    }
    some = [sql.SQL(_SOME).format(each=sql.SQL(_EACH[kind])) for kind in kinds]
    query = sql.SQL(_WITH_DECISION).format(all=sql.SQL(" union all ").join(some))
    with connection.cursor(row_factory=class_row(Operation)) as cursor:
        return cursor.execute(query, given).fetchall()


def _place_of(row: Operation) -> str:
    return f"{(row.at - _EPOCH) // timedelta(microseconds=1)}.{row.kind}.{row.number}"
