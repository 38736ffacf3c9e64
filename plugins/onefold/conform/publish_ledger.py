"""The ledger of publishes: one row per conform run, with the loads that it takes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

import psycopg
from psycopg.types.json import Jsonb

from onefold.catalog.entity import Entity
from onefold.mapping.registry import entity_of
from onefold.warehouse.advisory_lock import advisory_lock
from onefold.warehouse.rows import one_row

# The last published run that included the load says whether it is in or out; its state now says where it belongs. One
# that is in is taken in again where the rollback of another load has changed its versions since, or an entity that it
# feeds was refused.
_PENDING = """
with last_publish as (
    select distinct on (load_id) load_id, undone, outdated
    from ops.publish_load join ops.publish using (publish_id) where state = 'published'
    order by load_id, publish_id desc
)
select load_id, false, system || '.' || stream from ops.load left join last_publish using (load_id)
where state = 'published' and (outdated or coalesce(undone, true) and rows_new + rows_changed + rows_deleted > 0)
union all
select load_id, true, system || '.' || stream from ops.load left join last_publish using (load_id)
where state = 'rolled_back' and (outdated or not coalesce(undone, false))
    and exists (select from ops.publish_load as p where p.load_id = load.load_id and not p.undone)
order by 1
"""


@dataclass(frozen=True, slots=True)
class Publish:
    """A publish in progress.

    `streams` are those (system.stream) of its loads. `full_mapping` names the parts of entities (mapping/registry.py)
    that are mapped or resolved again, because they changed; of the entities in `judged_anew` the suite changed, so what
    it held back is judged again.
    """

    publish_id: int
    loads: tuple[int, ...]
    streams: frozenset[str]
    full_mapping: frozenset[str]
    judged_anew: frozenset[str] = frozenset()

    def touches(self, entity: Entity) -> bool:
        """Whether this publish may change the entity."""
        changed = {entity_of(part) for part in self.full_mapping}
        return entity.entity in changed | self.judged_anew or not self.streams.isdisjoint(entity.streams)


def conform_lock(connection: psycopg.Connection) -> AbstractContextManager[None]:
    """The right to conform, within a with block. Raises Retriable when another session has it."""
    busy = "Another conform is running; nothing was changed. Wait for it to end and start again."
    return advisory_lock(connection, "onefold conform", busy=busy)


def open_publish(
    connection: psycopg.Connection, actor: str, mappings: Mapping[str, str], suites: Mapping[str, str]
) -> Publish | None:
    """Open a publish for every load that wrote something and is in none yet; None when there is nothing to do.

    `mappings` has a fingerprint of each part of the mapping: where it changed, or the part is new, it is done again.
    `suites` has one of each entity's suite: where it changed, what the entity holds back is judged again.

    Call it with the conform_lock: a publish that is still building then belongs to a run that died, and is closed as
    failed.
    """
    with connection.transaction():
        connection.execute(
            "update ops.publish set state = 'failed', ended_at = now(),"
            " error = 'The run died before it published; the next one took its loads in.' where state = 'building'"
        )
        pending = pending_loads(connection)
        full_mapping = changed_mappings(connection, mappings)
        judged_anew = changed_suites(connection, suites)
        if not pending and not judged_anew and (not full_mapping or not anything_published(connection)):
            return None
        return insert_publish(connection, actor, "building", mappings, pending, full_mapping, judged_anew)


def insert_publish(
    connection: psycopg.Connection,
    actor: str,
    state: Literal["building", "dry_run"],
    mappings: Mapping[str, str],
    loads: Sequence[tuple[int, bool, str]],
    full_mapping: frozenset[str],
    judged_anew: frozenset[str],
) -> Publish:
    """A new publish, which takes in these loads (as pending_loads gives them). Call it in a transaction."""
    publish_id = one_row(
        connection.execute(
            "insert into ops.publish (actor, mappings, state) values (%s, %s, %s) returning publish_id",
            (actor, Jsonb(dict(mappings)), state),
        )
    )[0]
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.publish_load (publish_id, load_id, undone) values (%s, %s, %s)",
            [(publish_id, load_id, undone) for load_id, undone, _ in loads],
        )
    streams = frozenset(stream for _, _, stream in loads)
    return Publish(publish_id, tuple(load_id for load_id, _, _ in loads), streams, full_mapping, judged_anew)


def pending_loads(connection: psycopg.Connection) -> list[tuple[int, bool, str]]:
    """The loads that the next publish will take in: number, whether it is taken out again, and system.stream."""
    return connection.execute(_PENDING).fetchall()


_MAPPINGS = """
select state, mappings from ops.publish
where state <> 'dry_run' and publish_id >= (
    select coalesce(max(publish_id), 0) from ops.publish where state = 'published')
order by publish_id
"""


def changed_mappings(connection: psycopg.Connection, mappings: Mapping[str, str]) -> frozenset[str]:
    """The parts of the mapping that are others than at the newest publish; all of them where there is none.

    A part that an attempt since then has had otherwise counts too: it may have mapped records so before it failed.
    """
    known: dict[str, str] = {}
    changed: set[str] = set()
    for state, tried in connection.execute(_MAPPINGS):
        if state == "published":
            known = tried
            changed = {part for part, mapping in mappings.items() if known.get(part) != mapping}
        else:
            changed |= {part for part, mapping in mappings.items() if tried.get(part, mapping) != mapping}
    return frozenset(changed if known else mappings)


def changed_suites(connection: psycopg.Connection, suites: Mapping[str, str]) -> frozenset[str]:
    """The entities that hold back golden records which another suite than today's has judged."""
    judged = connection.execute("select distinct entity, suite from ops.held_back").fetchall()
    return frozenset(entity for entity, suite in judged if suites.get(entity, suite) != suite)


def leave_out(connection: psycopg.Connection, publish: Publish, entities: Sequence[Entity]) -> None:
    """Let the next publish take in again what these entities, which this one leaves as they were, would have taken in.

    Call it in the publishing transaction.
    """
    names = [entity.entity for entity in entities]
    streams = sorted({stream for entity in entities for stream in entity.streams})
    connection.execute(
        "update ops.publish_load set outdated = true from ops.load where load.load_id = publish_load.load_id"
        " and publish_id = %s and load.system || '.' || load.stream = any (%s)",
        (publish.publish_id, streams),
    )
    # Without a fingerprint its mapping counts as changed.
    anew = [part for part in publish.full_mapping if entity_of(part) in names]
    connection.execute(
        "update ops.publish set mappings = mappings - %s::text[] where publish_id = %s", (anew, publish.publish_id)
    )


def anything_published(connection: psycopg.Connection) -> bool:
    """Whether there was a publish yet."""
    exists = connection.execute("select exists (select from ops.publish where state = 'published')")
    return bool(one_row(exists)[0])


def close_publish(connection: psycopg.Connection, publish_id: int, state: str, error: str) -> None:
    """Close a publish that did not complete: `state` is rejected or failed."""
    connection.execute(
        "update ops.publish set state = %s, error = %s, ended_at = now() where publish_id = %s",
        (state, error, publish_id),
    )
