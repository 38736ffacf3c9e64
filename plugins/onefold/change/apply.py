"""Apply a plan: publish exactly what it says, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import psycopg
from psycopg import sql

from onefold.audit import AuditEvent, append
from onefold.change import ledger
from onefold.change.ledger import Plan
from onefold.change.project import Project
from onefold.change.state import WarehouseState, moved_files, moved_warehouse, read_state
from onefold.conform.candidate import Gate
from onefold.conform.publish_ledger import conform_lock
from onefold.conform.report import ConformReport
from onefold.conform.run import Build, OnPublish, conform_on
from onefold.errors import Fatal
from onefold.mapping.registry import sync_mapping
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors

_SHOWN = 5
# Of one entity: what the publish has written, as the plan has kept it.
_WRITTEN = """
select golden_id, change, digest from (
    select {id} as golden_id, case when exists (
            select from {version} as before where before.{id} = v.{id} and before._ended_publish_id = {publish})
        then 'changed' else 'new' end as change, _hash as digest
    from {version} as v where _publish_id = {publish}
    union all
    select {id}, 'ended', coalesce(_merged_into::text, '') from {version} as v
    where _ended_publish_id = {publish} and not exists (
        select from {version} as after where after.{id} = v.{id} and after._publish_id = {publish})
    union all
    select golden_id, 'held_back', '' from ops.held_back where {touched} and entity = {entity}
) as written"""
_PLANNED = "select golden_id, change, digest from ops.plan_record where publish_id = {planned} and entity = {entity}"
_DIFFERENT = """
with written as materialized ({written}), planned as materialized ({plan})
select golden_id::text from ((table written except table planned) union all (table planned except table written)) as d
group by 1 order by 1"""


def require_unmoved(connection: psycopg.Connection, plan: Plan, project: Project) -> None:
    """Raises Fatal, naming what moved, unless catalogue and warehouse are those that the plan was computed against."""
    if plan.state != "planned":
        raise Fatal(f"Plan {plan.plan_id} is {plan.state.replace('_', ' ')}: there is nothing to apply.")
    moved = moved_files(plan.files, project.files)
    moved += moved_warehouse(WarehouseState.from_json(plan.warehouse), read_state(connection))
    if moved:
        listed = "\n".join(f"  {each}" for each in moved[:20])
        raise Fatal(
            f"Plan {plan.plan_id} is about another state:\n{listed}\n"
            "Nothing was published. Plan again: bin/onefold plan"
        )
    refused = [f"{each.entity}: {each.refused}" for each in plan.says.entities if each.refused]
    refused += [f"marts.{name} reads {gone}" for name, gone in plan.says.tables.broken_marts.items()]
    if refused:
        raise Fatal(
            f"Plan {plan.plan_id} cannot be applied, because it would be refused. Nothing was published.\n"
            + "\n".join(refused)
        )


def apply_plan(
    url: str,
    plan_id: int,
    project: Project,
    actor: str,
    gate: Gate,
    run_build: Build,
    *,
    prepare: Callable[[psycopg.Connection, Plan], None],
    on_publish: Sequence[OnPublish] = (),
) -> ConformReport:
    """Publish what the plan says, in one transaction with its state `applied`.

    `prepare` brings what is generated and the schema to what the project says; it is called once nothing has moved, and
    may be called again by a second attempt. What would be published is compared with the plan, golden record by golden
    record, before the commit. Raises Fatal when something moved or differs: nothing is published then.
    """
    with translate_errors("apply"), connect(url, autocommit=True) as connection, conform_lock(connection):
        plan = ledger.get(connection, plan_id)
        require_unmoved(connection, plan, project)
        prepare(connection, plan)

        def finish(inside: psycopg.Connection, report: ConformReport) -> None:
            _require_as_planned(inside, plan, project, report)
            sync_mapping(inside, project.catalog.entities, project.catalog.systems)
            ledger.end(inside, plan, "applied", report.publish_id)
            payload = {"fingerprint": plan.fingerprint, "publish": report.publish_id}
            append(inside, AuditEvent(actor, "plan.apply", plan.subject, to="conformed", payload=payload))

        report = conform_on(
            connection,
            actor,
            gate,
            project.entities,
            run_build,
            mappings=project.mappings,
            suites=project.suites,
            on_publish=[*on_publish, finish],
        )
        if report.publish_id is None:  # nothing to map, to judge or to take in: the schema was all
            with connection.transaction():
                sync_mapping(connection, project.catalog.entities, project.catalog.systems)
                ledger.end(connection, plan, "applied")
                payload = {"fingerprint": plan.fingerprint}
                append(connection, AuditEvent(actor, "plan.apply", plan.subject, payload=payload))
        return report


def _require_as_planned(connection: psycopg.Connection, plan: Plan, project: Project, report: ConformReport) -> None:
    planned = {each.entity for each in plan.says.entities}
    different: dict[str, list[str]] = {}
    for name in project.catalog.entities:
        parts: dict[str, sql.Composable] = {
            "version": sql.Identifier("conformed", f"{name}_version"),
            "id": sql.Identifier(f"{name}_id"),
            "entity": sql.Literal(name),
            "publish": sql.Literal(report.publish_id),
            "planned": sql.Literal(plan.dry_run_publish_id),
            "touched": sql.Literal(name in planned),
        }
        query = sql.SQL(_DIFFERENT).format(
            written=sql.SQL(_WRITTEN).format(**parts), plan=sql.SQL(_PLANNED).format(**parts)
        )
        if rows := connection.execute(query).fetchall():
            different[name] = [golden_id for (golden_id,) in rows]
    if different:
        said = "; ".join(
            f"{len(ids):,} of {name} ({', '.join(ids[:_SHOWN])}{', …' if len(ids) > _SHOWN else ''})"
            for name, ids in different.items()
        )
        raise Fatal(
            f"Golden records would be others than plan {plan.plan_id} says: {said}. Nothing was published. Plan again: "
            "bin/onefold plan"
        )
