"""What is in hypercare: new streams, entities and versions of an entity's mapping, since when, and who has signed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import class_row

from onefold.audit.approval import triggering_user
from onefold.catalog.reader import Catalog
from onefold.mapping.registry import entity_of

Kind = Literal["stream", "entity", "mapping"]


@dataclass(frozen=True, slots=True)
class Subject:
    """A row of ops.hypercare. `streams` are those (system.stream) that it is about; `signed_by` is who approved it, or
    made it, as audit events name people; "": nobody. It lasts from `first_day` to `last_day`, both included."""

    hypercare_id: int
    kind: Kind
    name: str
    streams: list[str]
    signed_by: str
    first_day: date
    last_day: date

    @property
    def title(self) -> str:
        """How messages call it."""
        what = {"stream": "New stream", "entity": "New entity", "mapping": "New mapping of"}[self.kind]
        return f"{what} {self.name}"

    def lasts_on(self, day: date) -> bool:
        """Whether the day is one of its days."""
        return self.first_day <= day <= self.last_day


# A stream begins with its first attempt. Who approved the run that made it signs for it, else the person who ran it.
_STREAMS = """
select asked.system || '.' || asked.stream, first.started_at, coalesce((
    select decided_by from ops.approval where dag_id = first.dag_id and run_id = first.run_id and decision = 'approved'
    order by approval_id desc limit 1), first.actor)
from unnest(%(systems)s::text[], %(streams)s::text[]) as asked (system, stream)
cross join lateral (
    select * from ops.load where system = asked.system and stream = asked.stream and state <> 'dry_run'
    order by load_id limit 1) as first
where first.started_at >= %(since)s
"""
# Publishes since then whose mappings are others than those of the one before, which may be older. For one signs who
# approved the plan that it applied, else who made the plan, else who conformed.
_PUBLISHES = """
select publish_id, ended_at, mappings, before, coalesce(
    (select decided_by from ops.approval a join ops.plan p on a.subject = 'plan:' || p.plan_id
     where p.publish_id = later.publish_id and a.decision = 'approved' order by approval_id desc limit 1),
    (select p.actor from ops.plan p where p.publish_id = later.publish_id limit 1), actor)
from (
    select publish_id, ended_at, actor, mappings, lag(mappings) over (order by publish_id) as before
    from ops.publish where state = 'published' and publish_id >= coalesce((
        select max(publish_id) from ops.publish where state = 'published' and ended_at < %(since)s), 0)
) as later
where ended_at >= %(since)s and mappings is distinct from before order by publish_id
"""
_ADD = """
insert into ops.hypercare (kind, name, publish_id, streams, signed_by, started_at, first_day, last_day)
values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict (kind, name, publish_id) do nothing
"""
_SUBJECTS = """
select hypercare_id, kind, name, streams, signed_by, first_day, last_day from ops.hypercare
where ended_at is null order by kind, name, publish_id
"""


def find_subjects(
    connection: psycopg.Connection, catalog: Catalog, days: int, zone: ZoneInfo, now: datetime
) -> list[Subject]:
    """Record what the ledger shows to be new, and return what is in hypercare or has just come to its end of it.

    What began `days` days ago or earlier is not new, whenever it is first seen.
    """
    today = now.astimezone(zone).date()
    since = now - timedelta(days=days + 1)
    with connection.cursor() as cursor:
        for each in (*_new_streams(connection, catalog, since), *_new_publishes(connection, catalog, since)):
            first = each.at.astimezone(zone).date()
            last = first + timedelta(days=days - 1)
            if first <= today <= last:
                about = (each.kind, each.name, each.publish_id, each.streams, _person(each.actor), each.at)
                cursor.execute(_ADD, (*about, first, last))
    return current_subjects(connection)


def current_subjects(connection: psycopg.Connection) -> list[Subject]:
    """What is in hypercare, with what waits for its report."""
    with connection.cursor(row_factory=class_row(Subject)) as cursor:
        return cursor.execute(_SUBJECTS).fetchall()


@dataclass(frozen=True, slots=True)
class _Beginning:
    """What the ledger shows to have begun, when and by whom; `publish_id` tells versions of a mapping apart."""

    kind: Kind
    name: str
    streams: list[str]
    actor: str
    at: datetime
    publish_id: int = 0


def _new_streams(connection: psycopg.Connection, catalog: Catalog, since: datetime) -> Iterator[_Beginning]:
    names = [(name, stream) for name, system in catalog.systems.items() for stream in system.streams]
    about = {"systems": [name for name, _ in names], "streams": [stream for _, stream in names], "since": since}
    for name, at, who in connection.execute(_STREAMS, about).fetchall():
        yield _Beginning("stream", name, [name], who, at)


def _new_publishes(connection: psycopg.Connection, catalog: Catalog, since: datetime) -> Iterator[_Beginning]:
    """What brought an entity for the first time, or mapped it in another way than before."""
    for publish_id, at, mappings, before, who in connection.execute(_PUBLISHES, {"since": since}).fetchall():
        known = {entity_of(part) for part in before or {}}
        changed = {entity_of(part) for part, made in mappings.items() if (before or {}).get(part) != made}
        for name in sorted(changed & catalog.entities.keys()):
            streams = sorted(catalog.entities[name].streams)
            if name in known:
                yield _Beginning("mapping", name, streams, who, at, publish_id)
            else:
                yield _Beginning("entity", name, streams, who, at)


def _person(actor: str) -> str:
    """The actor where it is a person, or a run that a person triggered; a DAG that ran by itself has signed for
    nothing."""
    if by := triggering_user(actor):
        return f"airflow:{by}"
    return "" if actor.startswith("airflow:") and "/" in actor else actor
