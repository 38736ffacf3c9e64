"""Golden records that are held back, and the entities that the newest publish left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class HeldBack:
    """How many golden records of an entity are held back for one reason, since when, and how many of them stay at an
    earlier state that is published; the others are unpublished. `golden_id` is one of them."""

    entity: str
    reason: str
    golden_records: int
    published: int
    since: datetime
    golden_id: str


def held_back(connection: psycopg.Connection) -> list[HeldBack]:
    """What is held back now, by entity and reason, the most frequent first within an entity."""
    with connection.cursor(row_factory=class_row(HeldBack)) as cursor:
        return cursor.execute(
            """
            select entity, reason, count(*) as golden_records, count(*) filter (where published) as published,
                   min(since.started_at) as since, min(golden_id::text) as golden_id
            from ops.held_back join ops.publish as since on since.publish_id = held_back.since_publish_id
            group by entity, reason order by entity, count(*) desc, reason
            """
        ).fetchall()


def refused_entities(connection: psycopg.Connection) -> Mapping[str, str]:
    """Why the newest publish left these entities as they were; empty when it published all that it touched."""
    row = connection.execute(
        "select coalesce(report -> 'refused', '{}') from ops.publish where state = 'published'"
        " order by publish_id desc limit 1"
    ).fetchone()
    return row[0] if row else {}
