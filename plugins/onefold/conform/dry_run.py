"""A conform that publishes nothing: what would become of the golden records if dry-run loads were published."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from onefold.audit import AuditEvent, append
from onefold.catalog.entity import Entity
from onefold.conform import dbt_build, dry_run_schemas
from onefold.conform.candidate import Candidate, Gate
from onefold.conform.held_back import find_held_back
from onefold.conform.publish_ledger import Publish, changed_mappings, changed_suites, insert_publish, pending_loads
from onefold.conform.verdict import judge_candidates, with_dependents
from onefold.errors import Fatal
from onefold.load.ledger import Load
from onefold.warehouse.advisory_lock import advisory_lock
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import StagingTable

_REPORT = """
with candidate as (select * from {candidate} where {id} not in (select golden_id from held)),
    ended as (select * from {ended} where {id} not in (select golden_id from held))
select (select count(*) from candidate where _change = 'new'),
       (select count(*) from candidate where _change = 'changed'),
       (select count(*) from ended where merged_into is not null),
       (select count(*) from ended where merged_into is null),
       (select count(*) from (
           select from {crosswalk}
           where _previous_id is not null and _previous_id not in (select golden_id from held)
           group by _previous_id having count(distinct {id}) > 1) as split),
       (select count(*) from {conflict}),
       (select count(*) from held),
       (select count(distinct golden_id) from failing join candidate on candidate.{id} = golden_id where not critical)
"""


@dataclass(frozen=True, slots=True)
class EntityDryRun:
    """How many golden records of one entity would be new, changed, merged into others, ended, or split into several.

    `conflicts` are contradictory identifiers among the records that were resolved; `held_back` would stay as they are,
    because they fail the suite or share records with one that does, and are in none of the other figures; `warnings`
    would be published with a warning; `refused` is why the entity would not be published at all, None when it would.
    """

    entity: str
    new: int
    changed: int
    merged: int
    ended: int
    split: int
    conflicts: int
    refused: str | None
    held_back: int = 0
    warnings: int = 0


@dataclass(frozen=True, slots=True)
class DryRunReport:
    """The result of a dry run; it is stored as the report of a row of ops.publish whose state is dry_run."""

    publish_id: int
    loads: tuple[int, ...]
    entities: tuple[EntityDryRun, ...]

    def as_json(self) -> dict[str, object]:
        """The report as plain JSON containers."""
        return asdict(self) | {"entities": [asdict(each) for each in self.entities], "loads": list(self.loads)}


Look = Callable[[psycopg.Connection, Publish, Entity], None]
"""Looks at an entity's candidates while the temporary tables `held` and `failing` name those that would not be
published (held_back.py)."""


def dry_run_conform(
    url: str,
    actor: str,
    gate: Gate,
    entities: Sequence[Entity],
    project: dbt_build.DbtProject,
    loads: Sequence[Load],
    *,
    mappings: Mapping[str, str],
) -> DryRunReport:
    """Map and resolve what the loads' dry runs accepted together with what is published, in schemas of its own.

    `project` needs a target folder of its own, because the models are parsed for other schemas. The tables stay for
    engineers to look at, until the next dry run. Raises Fatal when a load is not in state dry_run or its landing is
    gone, Retriable while another dry run is in progress.
    """
    with translate_errors("dry run of conform"), connect(url, autocommit=True) as connection, dry_run_lock(connection):
        _require_landing(connection, loads)
        taken_in = [(load.load_id, False, f"{load.system}.{load.stream}") for load in loads]
        publish = _open_publish(connection, actor, mappings, {}, taken_in)
        fill_shadow(connection, entities, publish, loads)
        return dry_run_publish(connection, actor, gate, entities, dbt_in_shadow(project, url, entities), publish)


def dbt_in_shadow(project: dbt_build.DbtProject, url: str, entities: Sequence[Entity]) -> Callable[[Publish], object]:
    """Builds the entities' models in the schemas of a dry run."""

    def build(publish: Publish) -> object:
        variables = {
            "publish_id": publish.publish_id,
            "full_mapping": sorted(publish.full_mapping),
            "shadow": dry_run_schemas.PREFIX,
        }
        touched = [f"tag:{entity.entity}" for entity in entities if publish.touches(entity)]
        return dbt_build.build_models(project, url, variables, touched)

    return build


def open_pending(
    connection: psycopg.Connection, actor: str, mappings: Mapping[str, str], suites: Mapping[str, str]
) -> Publish:
    """A dry run's publish of just what the next conform would take in, with these mappings and suites."""
    return _open_publish(connection, actor, mappings, suites, pending_loads(connection))


def dry_run_publish(
    connection: psycopg.Connection,
    actor: str,
    gate: Gate,
    entities: Sequence[Entity],
    run_build: Callable[[Publish], object],
    publish: Publish,
    *,
    look: Look | None = None,
) -> DryRunReport:
    """Build the publish in the schemas of a dry run, which fill_shadow() has filled, and report."""
    touched = [entity for entity in entities if publish.touches(entity)]
    try:
        if touched:
            run_build(publish)
        found = [_report(connection, publish, entity, gate, look) for entity in touched]
    finally:
        if not connection.broken:
            dry_run_schemas.drop_published_views(connection, touched)
    refused = with_dependents(touched, {each.entity: each.refused for each in found if each.refused})
    report = DryRunReport(
        publish.publish_id,
        publish.loads,
        tuple(replace(each, refused=refused.get(each.entity)) for each in found),
    )
    _record(connection, actor, report)
    return report


def _open_publish(
    connection: psycopg.Connection,
    actor: str,
    mappings: Mapping[str, str],
    suites: Mapping[str, str],
    loads: Sequence[tuple[int, bool, str]],
) -> Publish:
    with connection.transaction():
        changed, judged_anew = changed_mappings(connection, mappings), changed_suites(connection, suites)
        return insert_publish(connection, actor, "dry_run", mappings, loads, changed, judged_anew)


def fill_shadow(
    connection: psycopg.Connection, entities: Sequence[Entity], publish: Publish, loads: Sequence[Load] = ()
) -> None:
    """Fill the schemas of a dry run with what there is of the entities that the publish touches; call it with the
    dry_run_lock. `loads` are those of it whose rows are not in staging yet."""
    touched = [entity for entity in entities if publish.touches(entity)]
    dry_run_schemas.drop_tables(connection)
    streams = sorted({stream for entity in touched for stream in entity.streams})
    dry_run_schemas.create_staging_views(connection, [StagingTable(*stream.split(".")) for stream in streams], loads)
    for entity in touched:
        dry_run_schemas.copy_mapped_tables(connection, entity)
        dry_run_schemas.create_published_views(connection, entity)


def _report(
    connection: psycopg.Connection, publish: Publish, entity: Entity, gate: Gate, look: Look | None
) -> EntityDryRun:
    name = entity.entity
    candidate = Candidate(publish.publish_id, name, dry_run_schemas.MAPPED, f"{name}__candidate", f"{name}_id")
    verdict = judge_candidates(connection, entity, candidate, gate)
    tables = {
        each: sql.Identifier(dry_run_schemas.MAPPED, f"{name}__{table}")
        for each, table in (
            ("candidate", "candidate"),
            ("ended", "ended"),
            ("crosswalk", "candidate_crosswalk"),
            ("conflict", "conflict"),
        )
    }
    with connection.transaction():
        find_held_back(connection, entity, () if verdict.refused else verdict.failures, dry_run_schemas.MAPPED)
        new, changed, merged, ended, split, conflicts, held_back, warnings = one_row(
            connection.execute(sql.SQL(_REPORT).format(id=sql.Identifier(f"{name}_id"), **tables))
        )
        if look:
            look(connection, publish, entity)
    return EntityDryRun(name, new, changed, merged, ended, split, conflicts, verdict.refused, held_back, warnings)


def _record(connection: psycopg.Connection, actor: str, report: DryRunReport) -> None:
    with connection.transaction():
        connection.execute(
            "update ops.publish set report = %s, ended_at = clock_timestamp() where publish_id = %s",
            (Jsonb(report.as_json()), report.publish_id),
        )
        event = AuditEvent(
            actor=actor,
            action="conform.dry_run",
            subject=f"publish:{report.publish_id}",
            from_="landing",
            to=dry_run_schemas.MAPPED,
            payload={"loads": list(report.loads), "entities": [each.entity for each in report.entities]},
        )
        append(connection, event)


def _require_landing(connection: psycopg.Connection, loads: Sequence[Load]) -> None:
    for load in loads:
        tables = (load.tables.candidate.as_string(connection), load.tables.refused.as_string(connection))
        exist = connection.execute("select to_regclass(%s) is not null and to_regclass(%s) is not null", tables)
        if load.state != "dry_run" or not one_row(exist)[0]:
            raise Fatal(
                f"load {load.load_id} of {load.system}.{load.stream} is {load.state} and has no dry run to show: "
                "dry-run its window first. Nothing was changed."
            )


def dry_run_lock(connection: psycopg.Connection) -> AbstractContextManager[None]:
    """There is one set of dry-run schemas, for one dry run at a time. Raises Retriable when another has them."""
    busy = "Another dry run is in progress; nothing was changed. Wait for it to end and start again."
    return advisory_lock(connection, "onefold dry run", busy=busy)
