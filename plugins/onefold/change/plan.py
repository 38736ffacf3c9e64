"""Plan a change: what an edited catalogue would make of the live warehouse, computed in the schemas of a dry run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import psycopg
from psycopg import sql

from onefold.audit import AuditEvent, append
from onefold.catalog.entity import Entity
from onefold.change import ledger
from onefold.change.content import Content, EntityChange, JudgedRows, SchemaChange
from onefold.change.golden_diff import GoldenDiff, diff_golden_records, keep_records
from onefold.change.ledger import Plan
from onefold.change.masked import masked_attributes
from onefold.change.project import Project, assemble
from onefold.change.rejudged import Evaluate, judge_again, judge_golden_again, streams_judged_otherwise
from onefold.change.schema_diff import diff_schema, marts_of
from onefold.change.state import read_state
from onefold.conform.candidate import Gate
from onefold.conform.dbt_build import DbtProject
from onefold.conform.dry_run import (
    DryRunReport,
    EntityDryRun,
    dbt_in_shadow,
    dry_run_lock,
    dry_run_publish,
    fill_shadow,
    open_pending,
)
from onefold.conform.dry_run_schemas import MAPPED
from onefold.conform.publish_ledger import Publish, conform_lock
from onefold.errors import Retriable
from onefold.mapping.registry import entity_of
from onefold.mapping.sql import field_sql
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors
from onefold.warehouse.rows import one_row

Builder = Callable[[Project], AbstractContextManager[Callable[[Publish], object]]]
"""Gives, within a block, what builds a project's models in the schemas of a dry run."""


def dbt_builder(url: str) -> Builder:
    """Builds by dbt, in a project that is made of the catalogue in a temporary folder."""

    @contextmanager
    def build(project: Project) -> Iterator[Callable[[Publish], object]]:
        with TemporaryDirectory(prefix="onefold-plan-") as folder:
            made = assemble(project, Path(folder))
            yield dbt_in_shadow(DbtProject(made, Path(folder) / "target"), url, project.entities)

    return build


def make_plan(url: str, project: Project, actor: str, gate: Gate, *, builder: Builder, evaluate: Evaluate) -> Plan:
    """Compute what the project would change of the warehouse at `url`, and keep it in ops.plan; returns the plan.

    Nothing that is published is touched, and conform waits only while its mapped records are copied. `gate` judges by
    the project's suites. Raises Retriable when a load or a publish came meanwhile, or another dry run or a conform is
    in progress; Fatal when the project cannot be built.
    """
    with translate_errors("plan"), connect(url, autocommit=True) as connection, dry_run_lock(connection):
        with conform_lock(connection):
            before = read_state(connection)
            publish = open_pending(connection, actor, project.mappings, project.suites)
            fill_shadow(connection, project.entities, publish)
        diffs: dict[str, GoldenDiff] = {}

        def look(inside: psycopg.Connection, _: Publish, entity: Entity) -> None:
            keep_records(inside, publish, entity)
            masked = masked_attributes(inside, project.catalog, entity)
            diffs[entity.entity] = diff_golden_records(inside, publish, entity, masked)

        began = monotonic()
        with builder(project) as build:
            report = dry_run_publish(connection, actor, gate, project.entities, build, publish, look=look)
        seconds = monotonic() - began
        streams = {part.partition(":")[2] for part in publish.full_mapping} & _streams(project)
        streams |= set(streams_judged_otherwise(connection, project))
        judged = [
            *judge_again(connection, url, project, sorted(streams), evaluate),
            *judge_golden_again(connection, url, project, evaluate),
        ]
        schema = diff_schema(connection, project, _known_entities(connection))
        content = _content(connection, project, publish, report, diffs, judged, schema, seconds)
        if read_state(connection) != before:
            raise Retriable(
                "A load or a publish came while the plan was computed, so it is about a warehouse that is no more. "
                "Nothing was changed. Start it again."
            )
        with connection.transaction():
            ledger.forget_overtaken(connection)
            plan_id = ledger.record(
                connection,
                fingerprint=project.fingerprint,
                files=project.files,
                warehouse=before.as_json(),
                dry_run_publish_id=publish.publish_id,
                content=content.as_json(),
                samples={name: diff.samples for name, diff in diffs.items()},
                actor=actor,
            )
            payload = {"fingerprint": project.fingerprint, "publish": before.publish_id, "golden": content.golden}
            append(connection, AuditEvent(actor, "plan.make", f"plan:{plan_id}", payload=payload))
            return ledger.get(connection, plan_id)


def _content(
    connection: psycopg.Connection,
    project: Project,
    publish: Publish,
    report: DryRunReport,
    diffs: Mapping[str, GoldenDiff],
    judged: Sequence[JudgedRows],
    schema: SchemaChange,
    seconds: float,
) -> Content:
    changed = {each.entity for each in report.entities if each.new + each.changed + each.merged + each.ended}
    return Content(
        golden=sum(each.new + each.changed + each.merged + each.ended for each in report.entities),
        parts=tuple(sorted(publish.full_mapping)),
        loads=publish.loads,
        entities=tuple(_entity(each, diffs[each.entity]) for each in report.entities),
        judged=tuple(judged),
        tables=schema,
        marts=tuple(marts_of(project, changed | {entity_of(part) for part in publish.full_mapping})),
        mapped=_mapped_again(connection, publish),
        load_again=tuple(_to_load_again(connection, project, publish)),
        seconds=round(seconds, 1),
    )


def _entity(found: EntityDryRun, diff: GoldenDiff) -> EntityChange:
    counts = {name: value for name, value in asdict(found).items() if isinstance(value, int)}
    return EntityChange(
        entity=found.entity,
        counts=counts,
        refused=found.refused,
        attributes=diff.attributes,
        same_values=diff.same_values,
    )


def _streams(project: Project) -> set[str]:
    return {f"{name}.{stream}" for name, system in project.catalog.systems.items() for stream in system.streams}


def _known_entities(connection: psycopg.Connection) -> set[str]:
    """The entities of the newest publish."""
    newest = connection.execute(
        "select mappings from ops.publish where state = 'published' order by publish_id desc limit 1"
    ).fetchone()
    return {entity_of(part) for part in newest[0]} - {"marts"} if newest else set()


def _mapped_again(connection: psycopg.Connection, publish: Publish) -> dict[str, int]:
    """How many records of each stream are mapped again, by entity:system.stream."""
    found = {}
    for part in sorted(publish.full_mapping):
        entity, _, source = part.partition(":")
        system, _, stream = source.partition(".")
        if stream:
            query = sql.SQL("select count(*) from {} where _stream = %s").format(
                sql.Identifier(MAPPED, f"{system}__{entity}")
            )
            found[part] = int(one_row(connection.execute(query, (stream,)))[0])
    return found


def _to_load_again(connection: psycopg.Connection, project: Project, publish: Publish) -> Iterator[str]:
    """Fields that a changed mapping reads, that it did not read before, and that no record has: the records came
    before the source sent them, or it does not."""
    for part in sorted(publish.full_mapping):
        entity, _, source = part.partition(":")
        system, _, stream_name = source.partition(".")
        if not stream_name:
            continue
        stream = project.catalog.systems[system].streams[stream_name]
        view = sql.Identifier("staging", f"{system}__{stream_name}__current")
        there = one_row(connection.execute("select to_regclass(%s)", (view.as_string(connection),)))[0]
        records = one_row(connection.execute(sql.SQL("select count(*) from {}").format(view)))[0] if there else 0
        if not records:
            yield f"{source}: nothing of it is loaded yet"
            continue
        attributes = project.catalog.entities[entity].attributes.values()
        read = {field for each in attributes if source in each.sources for field in each.sources[source].inputs}
        for name in sorted(read - _read_before(connection, entity, source)):
            value = sql.SQL(field_sql(name, stream.fields[name]))
            exists = sql.SQL("select exists (select from {} where {} is not null)").format(view, value)
            if not one_row(connection.execute(exists))[0]:
                yield f"{source}: {name} is in none of its {records:,} records"


def _read_before(connection: psycopg.Connection, entity: str, source: str) -> set[str]:
    rows = connection.execute(
        "select distinct unnest(fields) from ops.mapping where valid_to is null"
        " and entity = %s and system || '.' || stream = %s",
        (entity, source),
    )
    return {field for (field,) in rows}
