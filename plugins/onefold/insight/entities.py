"""Entities: what is published of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg


@dataclass(frozen=True, slots=True)
class EntityStatus:
    """One published entity. `by_sources`: golden records by the number of systems that each joins."""

    entity: str
    publish_id: int
    published_at: datetime
    golden: int
    by_sources: Mapping[int, int]


def entity_statuses(connection: psycopg.Connection) -> list[EntityStatus]:
    """Every published entity in the order of the report of the newest publish; none before the first publish."""
    rows = connection.execute(
        """
        select entity.value ->> 'entity', published.publish_id, published.at,
               (entity.value ->> 'golden')::bigint, entity.value -> 'by_sources'
        from (
            select report from ops.publish where state = 'published' order by publish_id desc limit 1
        ) newest
        cross join lateral jsonb_array_elements(newest.report -> 'entities') with ordinality entity (value, position)
        join ops.published published on published.entity = entity.value ->> 'entity'
        order by entity.position
        """
    ).fetchall()
    return [
        EntityStatus(entity, publish_id, at, golden, {int(systems): count for systems, count in by_sources.items()})
        for entity, publish_id, at, golden, by_sources in rows
    ]


def last_publish_report(connection: psycopg.Connection) -> Mapping[str, object]:
    """The report of the newest published conform run, as JSON; empty before the first."""
    row = connection.execute(
        "select report from ops.publish where state = 'published' order by publish_id desc limit 1"
    ).fetchone()
    return row[0] if row else {}
