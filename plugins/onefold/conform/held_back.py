"""Golden records that fail their suite stay at their last published state; everything else is published.

The candidates of a run are tables. A golden record is held back by taking its rows out of them before the versions are
written, all in the publishing transaction: what is left is written as if nothing else had been found. ops.held_back
then names its source records, and the next run of the entity looks at them again, whatever its loads bring
(dbt_project/macros/resolve/changed_records.sql).
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import sql

from onefold.catalog.entity import SYSTEM, Entity
from onefold.conform.candidate import Failure
from onefold.warehouse.rows import one_row

_CREATE = """
create temp table if not exists failing (golden_id uuid, critical boolean, expectation text, reason text)
    on commit drop;
create temp table if not exists held (golden_id uuid primary key, expectations text[], reason text) on commit drop;
create temp table if not exists held_record (record text collate "C" primary key) on commit drop;
truncate failing, held, held_record"""
_FAILING = """
insert into failing select f.{id}, {critical}, {expectation}, {reason} from ({rows}) as f"""
_HELD = """
insert into held
select f.golden_id, array_agg(distinct f.expectation order by f.expectation)
    , string_agg(distinct f.reason, '; ' order by f.reason)
from failing as f join {candidate} as c on c.{id} = f.golden_id and c._change is not null
where f.critical group by f.golden_id"""
# A golden record that gave a record to one that is held back, or took one from it, cannot be published without it.
_SHARED = """
insert into held
select distinct moved.other, '{{}}'::text[], 'shares records with a golden record that is held back'
from (
    select {id} as id, _previous_id as other from {candidate_crosswalk} where _previous_id <> {id}
    union
    select _previous_id, {id} from {candidate_crosswalk} where _previous_id <> {id}
) as moved
where moved.id in (select golden_id from held)
on conflict do nothing"""
# Nor can one that now has the identifier under which another one stays published.
_SAME_IDENTIFIER = """
insert into held
select distinct c.{id}, '{{}}'::text[], {reason}
from held
join {version} as v on v.{id} = held.golden_id and v._ended_publish_id is null
join {candidate} as c on {same} and c.{id} <> v.{id} and c._change is not null
on conflict do nothing"""
_RECORDS = """
insert into held_record
select record from {candidate_crosswalk}
where {id} in (select golden_id from held) or _previous_id in (select golden_id from held)
union
select record from {crosswalk} where _ended_publish_id is null and {id} in (select golden_id from held)"""
_TAKE_OUT = (
    "delete from {candidate} where {id} in (select golden_id from held)",
    "delete from {ended} where {id} in (select golden_id from held)",
    "delete from {candidate_identifier} where record in (select record from held_record)",
    "delete from {changed} where record in (select record from held_record)",
)
_LEDGER = (
    "delete from ops.held_back where entity = {entity} and golden_id not in (select golden_id from held)",
    """
    insert into ops.held_back
        (entity, golden_id, publish_id, since_publish_id, published, expectations, reason, suite, records)
    select {entity}, golden_id, {publish}, {publish},
        exists (select from {version} as v where v.{id} = held.golden_id and v._ended_publish_id is null),
        expectations, reason, {suite}, array(
            select record from {candidate_crosswalk} where {id} = golden_id or _previous_id = golden_id
            union select record from {crosswalk} where {id} = golden_id and _ended_publish_id is null order by 1)
    from held
    on conflict (entity, golden_id) do update set publish_id = excluded.publish_id, published = excluded.published,
        expectations = excluded.expectations, reason = excluded.reason, suite = excluded.suite,
        records = excluded.records""",
    "delete from {candidate_crosswalk} where record in (select record from held_record)",
)
_WARNINGS = (
    """
    update ops.golden_record_warning as w set ended_publish_id = {publish}
    where w.entity = {entity} and w.ended_publish_id is null
        and (w.golden_id in (select {id} from {candidate}) or w.golden_id in (select {id} from {ended}))
        and not exists (select from failing as f
            join {candidate} as c on c.{id} = f.golden_id
            where f.golden_id = w.golden_id and f.expectation = w.expectation and not f.critical)""",
    """
    insert into ops.golden_record_warning (entity, golden_id, expectation, reason, publish_id)
    select {entity}, f.golden_id, f.expectation, string_agg(distinct f.reason, '; ' order by f.reason), {publish}
    from failing as f join {candidate} as c on c.{id} = f.golden_id
    where not f.critical and not exists (select from ops.golden_record_warning as w
        where w.entity = {entity} and w.golden_id = f.golden_id and w.expectation = f.expectation
            and w.ended_publish_id is null)
    group by f.golden_id, f.expectation""",
)


def hold_back(
    connection: psycopg.Connection, entity: Entity, publish_id: int, failures: Sequence[Failure], suite: str
) -> None:
    """Take the golden records that fail out of the entity's candidates, and record them and the warnings on the others.

    `suite` is the fingerprint of the suite that judged. Call it in the publishing transaction, before the versions are
    written.
    """
    parts = _parts(entity, publish_id, suite)
    if find_held_back(connection, entity, failures):
        for statement in (_RECORDS, *_TAKE_OUT):
            connection.execute(sql.SQL(statement).format(**parts))
    for statement in (*_LEDGER, *_WARNINGS):
        connection.execute(sql.SQL(statement).format(**parts))


def find_held_back(
    connection: psycopg.Connection, entity: Entity, failures: Sequence[Failure], mapped: str = "mapped"
) -> int:
    """Write the candidates that fail into the table `failing`, and those to hold back into `held`; returns how many.

    Both are temporary and end with the caller's transaction. `mapped` is the schema of the candidates.
    """
    parts = _parts(entity, 0, "", mapped)

    def execute(statement: str, **more: sql.Composable) -> int:
        return connection.execute(sql.SQL(statement).format(**parts, **more)).rowcount

    connection.execute(_CREATE)
    for failure in failures:
        execute(
            _FAILING,
            critical=sql.Literal(failure.critical),
            expectation=sql.Literal(failure.expectation),
            reason=sql.Literal(failure.reason),
            rows=failure.rows,
        )
    held = execute(_HELD)
    if held:
        while more := execute(_SHARED) + sum(
            execute(
                _SAME_IDENTIFIER,
                same=_same(identifier),
                reason=sql.Literal(f"has the {', '.join(identifier)} of a golden record that is held back"),
            )
            for identifier in entity.identity.identifiers
        ):
            held += more
    return held


def _same(identifier: Sequence[str]) -> sql.Composable:
    """Whether a candidate and a published golden record agree on all attributes of the identifier."""
    columns = [sql.Identifier("source_of_truth" if part == SYSTEM else part) for part in identifier]
    return sql.SQL(" and ").join(sql.SQL("c.{0} = v.{0}").format(column) for column in columns)


def held_back_counts(connection: psycopg.Connection, entity: str) -> tuple[int, int]:
    """How many golden records of the entity are held back now, and how many have a warning."""
    held, warned = one_row(
        connection.execute(
            "select (select count(*) from ops.held_back where entity = %(entity)s),"
            " (select count(distinct golden_id) from ops.golden_record_warning"
            "  where entity = %(entity)s and ended_publish_id is null)",
            {"entity": entity},
        )
    )
    return held, warned


def _parts(entity: Entity, publish_id: int, suite: str, mapped: str = "mapped") -> dict[str, sql.Composable]:
    name = entity.entity
    candidates = ("candidate", "candidate_crosswalk", "candidate_identifier", "changed", "ended")
    published = "conformed" if mapped == "mapped" else mapped  # a dry run has views of it
    return {
        **{table: sql.Identifier(mapped, f"{name}__{table}") for table in candidates},
        "version": sql.Identifier(published, f"{name}_version"),
        "crosswalk": sql.Identifier(published, f"{name}_crosswalk_version"),
        "id": sql.Identifier(f"{name}_id"),
        "publish": sql.Literal(publish_id),
        "entity": sql.Literal(name),
        "suite": sql.Literal(suite),
    }
