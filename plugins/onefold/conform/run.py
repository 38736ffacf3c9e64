"""One conform run: take loads in, build, gate, publish."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic

import psycopg
from psycopg.types.json import Jsonb

from onefold.audit import AuditEvent, append
from onefold.catalog.entity import Entity
from onefold.conform import dbt_build
from onefold.conform.golden_versions import point, publish_entity
from onefold.conform.publish_ledger import Publish, begin, close, only_one
from onefold.conform.report import Candidate, ConformReport, EntityReport, Gate
from onefold.errors import OnefoldError, Rejected
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors

OnPublish = Callable[[psycopg.Connection, ConformReport], None]
"""Called inside the publishing transaction: what it writes is committed with the entities or not at all."""

Build = Callable[[Publish], object]
"""Brings the mapped models and the candidates up to date."""


def conform(
    url: str,
    actor: str,
    gate: Gate,
    entities: Sequence[Entity],
    project: dbt_build.Project,
    *,
    mappings: Mapping[str, str],
    on_publish: Sequence[OnPublish] = (),
    select: Sequence[str] = (),
) -> ConformReport:
    """Publish everything that was loaded since the last publish; all entities become visible at one instant.

    Only the entities that a load feeds are built, judged and written.

    `mappings` has a fingerprint of each entity's mapping (see mapping/registry.py): another one than at the last
    publish maps every record again. They and a fingerprint of the marts, which are views, also tell when those are to
    be made anew. With nothing to take in it returns at once, without starting dbt. Raises Retriable
    when another conform runs, Fatal when dbt fails, and what the gate raises (Rejected); analysts then keep what they
    had, and the next run takes the same loads in again.
    """

    def run_dbt(publish: Publish) -> object:
        variables = {"publish_id": publish.publish_id, "full_mapping": sorted(publish.full_mapping)}
        fed = [f"tag:{entity.entity}" for entity in entities if publish.touches(entity)]
        marts = ["path:models/marts"] if publish.full_mapping else []
        return dbt_build.build(project, url, variables, select or [*fed, *marts])

    return conform_with(url, actor, gate, entities, run_dbt, mappings=mappings, on_publish=on_publish)


def conform_with(
    url: str,
    actor: str,
    gate: Gate,
    entities: Sequence[Entity],
    run_build: Build,
    *,
    mappings: Mapping[str, str],
    on_publish: Sequence[OnPublish] = (),
) -> ConformReport:
    """As conform, with another way to build the candidates."""
    clock = _Clock()
    with translate_errors("conform"), connect(url, autocommit=True) as connection, only_one(connection):
        with clock.phase("begin"):
            publish = begin(connection, actor, mappings)
        if publish is None:
            return ConformReport(None, (), _standing(connection, entities), clock.seconds)
        try:
            with translate_errors("conform"):
                with clock.phase("build"):
                    run_build(publish)
                with clock.phase("gate"):
                    for entity in filter(publish.touches, entities):
                        name = entity.entity
                        gate(Candidate(publish.publish_id, name, "mapped", f"{name}__candidate", f"{name}_id"))
                return _publish(connection, actor, entities, publish, on_publish, clock)
        except OnefoldError as error:
            _refuse(connection, actor, publish, entities, error)
            raise


def _publish(
    connection: psycopg.Connection,
    actor: str,
    entities: Sequence[Entity],
    publish: Publish,
    on_publish: Sequence[OnPublish],
    clock: _Clock,
) -> ConformReport:
    before = _standing(connection, entities)
    with clock.phase("publish"), connection.transaction():
        made = tuple(
            publish_entity(connection, entity, publish.publish_id, was) if publish.touches(entity) else was
            for entity, was in zip(entities, before, strict=True)
        )
        for entity in entities:
            point(connection, entity.entity, publish.publish_id, actor)
        report = ConformReport(publish.publish_id, publish.loads, made, clock.seconds)
        connection.execute(
            "update ops.publish set state = 'published', ended_at = clock_timestamp(), report = %s"
            " where publish_id = %s",
            (Jsonb(report.as_json()), publish.publish_id),
        )
        for also in on_publish:
            also(connection, report)
        for entity, entity_report in zip(entities, made, strict=True):
            if publish.touches(entity):
                append(connection, _event(actor, publish, entity_report))
    return report


def _refuse(
    connection: psycopg.Connection, actor: str, publish: Publish, entities: Sequence[Entity], error: Exception
) -> None:
    """Close a publish that is not to be: in the ledger, and in the audit chain."""
    result = "rejected" if isinstance(error, Rejected) else "failed"
    with connection.transaction():
        close(connection, publish.publish_id, result, _said(error))
        event = AuditEvent(
            actor=actor,
            action="conform.refuse",
            subject=f"publish:{publish.publish_id}",
            from_="mapped",
            payload={"entities": [entity.entity for entity in entities], "loads": list(publish.loads)},
            result=result,
        )
        append(connection, event)


def _standing(connection: psycopg.Connection, entities: Sequence[Entity]) -> tuple[EntityReport, ...]:
    """How the entities stand at the newest publish (which analysts need not be looking at: see switch_to)."""
    newest = connection.execute(
        "select report -> 'entities' from ops.publish where state = 'published' order by publish_id desc limit 1"
    ).fetchone()
    known = {entity["entity"]: entity for entity in (newest[0] if newest else [])}
    return tuple(
        EntityReport(
            entity=entity.entity,
            golden=known[entity.entity]["golden"],
            conflicts=known[entity.entity]["conflicts"],
            by_sources={int(sources): count for sources, count in known[entity.entity]["by_sources"].items()},
        )
        if entity.entity in known
        else EntityReport(entity.entity, 0)
        for entity in entities
    )


def _event(actor: str, publish: Publish, report: EntityReport) -> AuditEvent:
    return AuditEvent(
        actor=actor,
        action="conform.publish",
        subject=f"publish:{publish.publish_id}",
        from_="mapped",
        to=f"conformed.{report.entity}",
        payload={
            "golden": report.golden,
            "new": report.new,
            "changed": report.changed,
            "ended": report.ended,
            "conflicts": report.conflicts,
            "loads": list(publish.loads),
        },
    )


def _said(error: Exception) -> str:
    """The first line: what follows may quote a row."""
    return str(error).strip().splitlines()[0][:1000] if str(error).strip() else type(error).__name__


class _Clock:
    """Seconds by phase, as far as the run has come."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        started = monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(monotonic() - started, 3)
