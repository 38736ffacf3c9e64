"""Entities: what is published of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg


@dataclass(frozen=True, slots=True)
class EntityStatus:
    """One published entity. `by_sources`: golden records by the number of systems that each joins.

    `held_back`: golden records whose new state fails the suite; `warnings`: golden records that have one.
    """

    entity: str
    publish_id: int
    published_at: datetime
    golden: int
    by_sources: Mapping[int, int]
    held_back: int = 0
    warnings: int = 0

    @property
    def held_back_rate(self) -> float:
        """Of all golden records, published or not, the share that is held back: 0 to 1."""
        return self.held_back / max(self.golden + self.held_back, 1)


def entity_statuses(connection: psycopg.Connection) -> list[EntityStatus]:
    """Every published entity in the order of the report of the newest publish; none before the first publish."""
    rows = connection.execute(
        """
        select entity.value ->> 'entity', published.publish_id, published.at,
               (entity.value ->> 'golden')::bigint, entity.value -> 'by_sources',
               coalesce((entity.value ->> 'held_back')::bigint, 0), coalesce((entity.value ->> 'warnings')::bigint, 0)
        from (
            select report from ops.publish where state = 'published' order by publish_id desc limit 1
        ) newest
        cross join lateral jsonb_array_elements(newest.report -> 'entities') with ordinality entity (value, position)
        join ops.published published on published.entity = entity.value ->> 'entity'
        order by entity.position
        """
    ).fetchall()
    return [
        EntityStatus(
            *(entity, publish_id, at, golden),
            {int(systems): count for systems, count in by_sources.items()},
            *(held_back, warnings),
        )
        for entity, publish_id, at, golden, by_sources, held_back, warnings in rows
    ]


def last_publish_report(connection: psycopg.Connection) -> Mapping[str, object]:
    """The report of the newest published conform run, as JSON; empty before the first."""
    row = connection.execute(
        "select report from ops.publish where state = 'published' order by publish_id desc limit 1"
    ).fetchone()
    return row[0] if row else {}
