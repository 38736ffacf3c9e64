"""A conform that publishes nothing: what would become of the golden records if rehearsed loads were published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from onefold.audit import AuditEvent, append
from onefold.catalog.entity import Entity
from onefold.conform import dbt_build, dry_run_schemas
from onefold.conform.publish_ledger import Publish, changed_mappings
from onefold.conform.report import Candidate, Gate
from onefold.errors import Fatal, Rejected, Retriable
from onefold.load.ledger import Load
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors
from onefold.warehouse.tables import StagingTable

_REPORT = """
select (select count(*) from {candidate} where _change = 'new'),
       (select count(*) from {candidate} where _change = 'changed'),
       (select count(*) from {ended} where merged_into is not null),
       (select count(*) from {ended} where merged_into is null),
       (select count(*) from (
           select from {crosswalk} where _previous_id is not null
           group by _previous_id having count(distinct {id}) > 1) as split),
       (select count(*) from {conflict})
"""


@dataclass(frozen=True, slots=True)
class EntityRehearsal:
    """How many golden records of one entity would be new, changed, merged into others, gone, or split in several.

    `conflicts` are contradictory identifiers among the records that were looked at; `refused` is what the entity's
    gate would say against publishing, None when it would let all pass.
    """

    entity: str
    new: int
    changed: int
    merged: int
    ended: int
    split: int
    conflicts: int
    refused: str | None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a rehearsal came to; it is kept as the report of a row of ops.publish whose state is rehearsed."""

    publish_id: int
    loads: tuple[int, ...]
    entities: tuple[EntityRehearsal, ...]

    def as_json(self) -> dict[str, object]:
        """The report as plain JSON containers."""
        return asdict(self) | {"entities": [asdict(each) for each in self.entities], "loads": list(self.loads)}


def rehearse(
    url: str,
    actor: str,
    gate: Gate,
    entities: Sequence[Entity],
    project: dbt_build.Project,
    loads: Sequence[Load],
    *,
    mappings: Mapping[str, str],
) -> Rehearsal:
    """Map and resolve what the rehearsed loads accepted together with what is published, in the shadow only.

    `project` needs a target folder of its own: the models are parsed for other schemas. What the shadow holds stays
    for engineers to look at, until the next rehearsal. Raises Fatal when a load is not rehearsed or its landing is
    gone, Retriable while another rehearsal runs.
    """
    with translate_errors("rehearsal"), connect(url, autocommit=True) as connection, _only_one(connection):
        _require_landing(connection, loads)
        publish = _begin(connection, actor, mappings, loads)
        touched = [entity for entity in entities if publish.touches(entity)]
        _make_shadow(connection, touched, loads)
        variables = {
            "publish_id": publish.publish_id,
            "full_mapping": sorted(publish.full_mapping),
            "shadow": dry_run_schemas.PREFIX,
        }
        dbt_build.build(project, url, variables, [f"tag:{entity.entity}" for entity in touched])
        rehearsal = Rehearsal(
            publish.publish_id,
            publish.loads,
            tuple(_report(connection, publish, entity, gate) for entity in touched),
        )
        _keep(connection, actor, rehearsal)
    return rehearsal


def _begin(connection: psycopg.Connection, actor: str, mappings: Mapping[str, str], loads: Sequence[Load]) -> Publish:
    with connection.transaction():
        changed = changed_mappings(connection, mappings)
        publish_id = connection.execute(
            "insert into ops.publish (actor, mappings, state) values (%s, %s, 'rehearsed') returning publish_id",
            (actor, Jsonb(dict(mappings))),
        ).fetchone()[0]
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into ops.publish_load (publish_id, load_id) values (%s, %s)",
                [(publish_id, load.load_id) for load in loads],
            )
    streams = frozenset(f"{load.system}.{load.stream}" for load in loads)
    return Publish(publish_id, tuple(load.load_id for load in loads), streams, changed)


def _make_shadow(connection: psycopg.Connection, entities: Sequence[Entity], loads: Sequence[Load]) -> None:
    dry_run_schemas.clear(connection)
    streams = sorted({stream for entity in entities for stream in entity.streams})
    dry_run_schemas.expose(connection, [StagingTable(*stream.split(".")) for stream in streams], loads)
    dry_run_schemas.copy_mapped(
        connection, [f"{system}__{entity.entity}" for entity in entities for system in entity.systems]
    )


def _report(connection: psycopg.Connection, publish: Publish, entity: Entity, gate: Gate) -> EntityRehearsal:
    name, refused = entity.entity, None
    try:
        gate(Candidate(publish.publish_id, name, dry_run_schemas.MAPPED, f"{name}__candidate", f"{name}_id"))
    except Rejected as error:
        refused = str(error)
    tables = {
        each: sql.Identifier(dry_run_schemas.MAPPED, f"{name}__{table}")
        for each, table in (
            ("candidate", "candidate"),
            ("ended", "ended"),
            ("crosswalk", "candidate_crosswalk"),
            ("conflict", "conflict"),
        )
    }
    row = connection.execute(sql.SQL(_REPORT).format(id=sql.Identifier(f"{name}_id"), **tables)).fetchone()
    return EntityRehearsal(name, *row, refused)


def _keep(connection: psycopg.Connection, actor: str, rehearsal: Rehearsal) -> None:
    with connection.transaction():
        connection.execute(
            "update ops.publish set report = %s, ended_at = clock_timestamp() where publish_id = %s",
            (Jsonb(rehearsal.as_json()), rehearsal.publish_id),
        )
        event = AuditEvent(
            actor=actor,
            action="conform.rehearse",
            subject=f"publish:{rehearsal.publish_id}",
            from_="landing",
            to=dry_run_schemas.MAPPED,
            payload={"loads": list(rehearsal.loads), "entities": [each.entity for each in rehearsal.entities]},
        )
        append(connection, event)


def _require_landing(connection: psycopg.Connection, loads: Sequence[Load]) -> None:
    for load in loads:
        held = connection.execute(
            "select to_regclass(%s) is not null and to_regclass(%s) is not null",
            (load.tables.candidate.as_string(connection), load.tables.refused.as_string(connection)),
        ).fetchone()[0]
        if load.state != "dry_run" or not held:
            raise Fatal(
                f"load {load.load_id} of {load.system}.{load.stream} is {load.state} and cannot be looked at as a "
                "rehearsal: rehearse its window first. Nothing was changed."
            )


@contextmanager
def _only_one(connection: psycopg.Connection) -> Iterator[None]:
    """There is one shadow. A killed run lets it go with its connection."""
    if not connection.execute("select pg_try_advisory_lock(hashtextextended('onefold shadow', 0))").fetchone()[0]:
        raise Retriable("Another rehearsal is running; nothing was changed. Wait for it to end and start again.")
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(hashtextextended('onefold shadow', 0))")
