"""One conform run: open a publish, build, gate, publish."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic

import psycopg
from psycopg.types.json import Jsonb

from onefold.audit import AuditEvent, append
from onefold.catalog.entity import Entity
from onefold.conform import dbt_build
from onefold.conform.candidate import Candidate, Gate
from onefold.conform.golden_versions import write_versions
from onefold.conform.publish_ledger import Publish, close_publish, conform_lock, open_publish
from onefold.conform.report import ConformReport, EntityReport
from onefold.conform.visible_publish import set_visible_publish
from onefold.errors import OnefoldError, Rejected
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors

OnPublish = Callable[[psycopg.Connection, ConformReport], None]
"""Called inside the publishing transaction: what it writes is committed with the entities or not at all."""

Build = Callable[[Publish], object]
"""Builds the mapped models and the candidates."""


def conform(
    url: str,
    actor: str,
    gate: Gate,
    entities: Sequence[Entity],
    project: dbt_build.DbtProject,
    *,
    mappings: Mapping[str, str],
    on_publish: Sequence[OnPublish] = (),
    select: Sequence[str] = (),
) -> ConformReport:
    """Publish everything that was loaded since the last publish; all entities become visible at one instant.

    Only the entities that a load feeds are built, gated and written.

    `mappings` has a fingerprint of each entity's mapping (see mapping/registry.py), and one of the marts, which are
    views: where one differs from the last publish, every record of the entity is mapped again, or the marts are built
    again. With nothing to do it returns at once, without starting dbt. Raises Retriable when another conform runs,
    Fatal when dbt fails, and what the gate raises (Rejected); analysts then keep what they had, and the next run takes
    the same loads in again.
    """

    def run_dbt(publish: Publish) -> object:
        variables = {"publish_id": publish.publish_id, "full_mapping": sorted(publish.full_mapping)}
        fed = [f"tag:{entity.entity}" for entity in entities if publish.touches(entity)]
        marts = ["path:models/marts"] if publish.full_mapping else []
        return dbt_build.build_models(project, url, variables, select or [*fed, *marts])

    return conform_with_build(url, actor, gate, entities, run_dbt, mappings=mappings, on_publish=on_publish)


def conform_with_build(
    url: str,
    actor: str,
    gate: Gate,
    entities: Sequence[Entity],
    run_build: Build,
    *,
    mappings: Mapping[str, str],
    on_publish: Sequence[OnPublish] = (),
) -> ConformReport:
    """As conform(), with another way to build the candidates."""
    clock = _Clock()
    with translate_errors("conform"), connect(url, autocommit=True) as connection, conform_lock(connection):
        with clock.phase("begin"):
            publish = open_publish(connection, actor, mappings)
        if publish is None:
            return ConformReport(None, (), _newest_reports(connection, entities), clock.seconds)
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
    before = _newest_reports(connection, entities)
    with clock.phase("publish"), connection.transaction():
        reports = tuple(
            write_versions(connection, entity, publish.publish_id, previous) if publish.touches(entity) else previous
            for entity, previous in zip(entities, before, strict=True)
        )
        for entity in entities:
            set_visible_publish(connection, entity.entity, publish.publish_id, actor)
        report = ConformReport(publish.publish_id, publish.loads, reports, clock.seconds)
        connection.execute(
            "update ops.publish set state = 'published', ended_at = clock_timestamp(), report = %s"
            " where publish_id = %s",
            (Jsonb(report.as_json()), publish.publish_id),
        )
        for hook in on_publish:
            hook(connection, report)
        for entity, entity_report in zip(entities, reports, strict=True):
            if publish.touches(entity):
                append(connection, _event(actor, publish, entity_report))
    return report


def _refuse(
    connection: psycopg.Connection, actor: str, publish: Publish, entities: Sequence[Entity], error: Exception
) -> None:
    """Close a publish that is refused or failed: in the ledger, and in the audit chain."""
    result = "rejected" if isinstance(error, Rejected) else "failed"
    with connection.transaction():
        close_publish(connection, publish.publish_id, result, _first_line(error))
        event = AuditEvent(
            actor=actor,
            action="conform.refuse",
            subject=f"publish:{publish.publish_id}",
            from_="mapped",
            payload={"entities": [entity.entity for entity in entities], "loads": list(publish.loads)},
            result=result,
        )
        append(connection, event)


def _newest_reports(connection: psycopg.Connection, entities: Sequence[Entity]) -> tuple[EntityReport, ...]:
    """The entities' counts at the newest publish, which is not always the visible one (see visible_publish.py)."""
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


def _first_line(error: Exception) -> str:
    """What the error says; the lines after the first may quote a row."""
    return str(error).strip().splitlines()[0][:1000] if str(error).strip() else type(error).__name__


class _Clock:
    """Seconds by phase, of the phases so far."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        started = monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(monotonic() - started, 3)
