"""One conform run: open a publish, build, gate, publish."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

import psycopg
from psycopg.types.json import Jsonb

from onefold.audit import AuditEvent, append
from onefold.catalog.entity import Entity
from onefold.conform import dbt_build
from onefold.conform.candidate import Candidate, Gate
from onefold.conform.golden_versions import write_versions
from onefold.conform.held_back import hold_back
from onefold.conform.publish_ledger import Publish, close_publish, conform_lock, leave_out, open_publish
from onefold.conform.report import ConformReport, EntityReport
from onefold.conform.verdict import Verdict, judge_candidates, with_dependents
from onefold.conform.visible_publish import set_visible_publish
from onefold.errors import OnefoldError, Rejected
from onefold.privacy.suppressions import require_whole_register
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors
from onefold.warehouse.overdue_readers import end_overdue_readers

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
    suites: Mapping[str, str] | None = None,
    on_publish: Sequence[OnPublish] = (),
    select: Sequence[str] = (),
) -> ConformReport:
    """Publish everything that was loaded since the last publish; all entities become visible at one instant.

    Only the entities that a load feeds are built, gated and written. Golden records that fail are held back (see
    held_back.py); an entity of which too many fail is left as it was, with those that refer to it, and the report says
    why: the next run takes its loads in again.

    `mappings` has fingerprints of the parts of each entity's mapping (see mapping/registry.py), and one of the marts,
    which are views: where one differs from the last publish, a stream's records are mapped again, an entity's are
    resolved again, or the marts are built again. `suites` has a fingerprint of each entity's suite: where it changed,
    what is held back is judged again.

    With nothing to do it returns at once, without starting dbt. Raises Retriable when another conform runs or another
    session holds what dbt waits for, Fatal when dbt fails, and Rejected when every entity is refused; analysts then
    keep what they had, and the next run takes the same loads in again.
    """
    run_dbt = dbt_builds(url, project, entities, select)
    return conform_with_build(
        url, actor, gate, entities, run_dbt, mappings=mappings, suites=suites, on_publish=on_publish
    )


def dbt_builds(
    url: str, project: dbt_build.DbtProject, entities: Sequence[Entity], select: Sequence[str] = ()
) -> Build:
    """Builds what the publish touches by dbt, and the marts where any mapping or a mart changed."""

    def run_dbt(publish: Publish) -> object:
        variables = {"publish_id": publish.publish_id, "full_mapping": sorted(publish.full_mapping)}
        fed = [f"tag:{entity.entity}" for entity in entities if publish.touches(entity)]
        marts = ["path:models/marts"] if publish.full_mapping else []
        return dbt_build.build_models(project, url, variables, select or [*fed, *marts])

    return run_dbt


def conform_with_build(
    url: str,
    actor: str,
    gate: Gate,
    entities: Sequence[Entity],
    run_build: Build,
    *,
    mappings: Mapping[str, str],
    suites: Mapping[str, str] | None = None,
    on_publish: Sequence[OnPublish] = (),
) -> ConformReport:
    """As conform(), with another way to build the candidates."""
    with translate_errors("conform"), connect(url, autocommit=True) as connection, conform_lock(connection):
        return conform_on(
            connection, actor, gate, entities, run_build, mappings=mappings, suites=suites, on_publish=on_publish
        )


def conform_on(
    connection: psycopg.Connection,
    actor: str,
    gate: Gate,
    entities: Sequence[Entity],
    run_build: Build,
    *,
    mappings: Mapping[str, str],
    suites: Mapping[str, str] | None = None,
    on_publish: Sequence[OnPublish] = (),
) -> ConformReport:
    """As conform_with_build(), over a connection that commits each statement and holds the conform_lock."""
    clock = _Clock()
    with clock.phase("begin"):
        end_overdue_readers(connection)
        require_whole_register(connection)
        publish = open_publish(connection, actor, mappings, suites or {})
    if publish is None:
        return ConformReport(None, (), _newest_reports(connection, entities), clock.seconds)
    try:
        with translate_errors("conform"):
            with clock.phase("build"):
                run_build(publish)
            with clock.phase("gate"):
                judgement = _judge(connection, gate, entities, publish)
            return _publish(connection, actor, entities, publish, judgement, suites or {}, on_publish, clock)
    except OnefoldError as error:
        _refuse(connection, actor, publish, entities, error)
        raise


@dataclass(frozen=True, slots=True)
class _Judgement:
    """What the gate said of each touched entity, and why some are left as they were."""

    verdicts: Mapping[str, Verdict]
    refused: Mapping[str, str]


def _judge(connection: psycopg.Connection, gate: Gate, entities: Sequence[Entity], publish: Publish) -> _Judgement:
    """Let the gate judge every touched entity. Raises Rejected when none of them can be published."""
    touched = list(filter(publish.touches, entities))
    verdicts = {
        name: judge_candidates(
            connection, entity, Candidate(publish.publish_id, name, "mapped", f"{name}__candidate", f"{name}_id"), gate
        )
        for entity in touched
        for name in [entity.entity]
    }
    refused = with_dependents(touched, {name: verdict.refused for name, verdict in verdicts.items() if verdict.refused})
    if refused and len(refused) == len(touched):
        raise Rejected("; ".join(refused.values()))
    return _Judgement(verdicts, refused)


def _publish(
    connection: psycopg.Connection,
    actor: str,
    entities: Sequence[Entity],
    publish: Publish,
    judgement: _Judgement,
    suites: Mapping[str, str],
    on_publish: Sequence[OnPublish],
    clock: _Clock,
) -> ConformReport:
    before = _newest_reports(connection, entities)
    refused = judgement.refused
    with clock.phase("publish"), connection.transaction():
        reports = []
        for entity, previous in zip(entities, before, strict=True):
            name = entity.entity
            if not publish.touches(entity) or name in refused:
                reports.append(previous)
                continue
            hold_back(connection, entity, publish.publish_id, judgement.verdicts[name].failures, suites.get(name, ""))
            reports.append(write_versions(connection, entity, publish.publish_id, previous))
        for entity in entities:
            if entity.entity not in refused:
                set_visible_publish(connection, entity.entity, publish.publish_id, actor)
        leave_out(connection, publish, [entity for entity in entities if entity.entity in refused])
        report = ConformReport(publish.publish_id, publish.loads, tuple(reports), clock.seconds, refused)
        connection.execute(
            "update ops.publish set state = 'published', ended_at = clock_timestamp(), report = %s"
            " where publish_id = %s",
            (Jsonb(report.as_json()), publish.publish_id),
        )
        for hook in on_publish:
            hook(connection, report)
        for entity, entity_report in zip(entities, reports, strict=True):
            if entity.entity in refused:
                append(connection, _refusal(actor, publish, [entity], "rejected"))
            elif publish.touches(entity):
                append(connection, _event(actor, publish, entity_report))
    return report


def _refuse(
    connection: psycopg.Connection, actor: str, publish: Publish, entities: Sequence[Entity], error: Exception
) -> None:
    """Close a publish that is refused or failed: in the ledger, and in the audit chain."""
    result = "rejected" if isinstance(error, Rejected) else "failed"
    with connection.transaction():
        close_publish(connection, publish.publish_id, result, _first_line(error))
        append(connection, _refusal(actor, publish, entities, result))


def _refusal(actor: str, publish: Publish, entities: Sequence[Entity], result: str) -> AuditEvent:
    return AuditEvent(
        actor=actor,
        action="conform.refuse",
        subject=f"publish:{publish.publish_id}",
        from_="mapped",
        payload={"entities": [entity.entity for entity in entities], "loads": list(publish.loads)},
        result=result,
    )


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
            held_back=known[entity.entity].get("held_back", 0),
            warnings=known[entity.entity].get("warnings", 0),
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
            "held_back": report.held_back,
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
