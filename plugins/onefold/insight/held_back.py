"""Golden records that are held back, and the entities that the newest publish left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from onefold.errors import Fatal
from onefold.insight.page import bounded

_NUMBER = re.compile("[0-9]{1,18}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


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


@dataclass(frozen=True, slots=True)
class HeldBackRecord:
    """One golden record that is held back: why (what it fails, in words and by expectation; none where only its
    neighbours fail), since when, and whether an earlier state of it is published. `records` are those of the sources
    that it holds or would hold, as system|stream|key."""

    entity: str
    golden_id: str
    published: bool
    reason: str
    expectations: list[str]
    since_publish_id: int
    since: datetime
    records: list[str]


@dataclass(frozen=True, slots=True)
class HeldBackPage:
    """Some golden records, the newest first. `before` asks for the page after this one; None: this is the last."""

    rows: tuple[HeldBackRecord, ...]
    before: str | None


@dataclass(frozen=True, slots=True)
class Warned:
    """How many published golden records of an entity have one warning."""

    entity: str
    reason: str
    golden_records: int


def held_back(connection: psycopg.Connection, *, entity: str | None = None, limit: int = 1000) -> list[HeldBack]:
    """What is held back now, by entity and reason, the most frequent first within an entity.

    Raises Fatal when the limit is out of range.
    """
    with connection.cursor(row_factory=class_row(HeldBack)) as cursor:
        return cursor.execute(
            """
            select entity, reason, count(*) as golden_records, count(*) filter (where published) as published,
                   min(since.started_at) as since, min(golden_id::text) as golden_id
            from ops.held_back join ops.publish as since on since.publish_id = held_back.since_publish_id
            where %(entity)s::text is null or entity = %(entity)s
            group by entity, reason order by entity, count(*) desc, reason limit %(rows)s
            """,
            {"entity": entity, "rows": bounded(limit)},
        ).fetchall()


def held_back_records(
    connection: psycopg.Connection, *, entity: str | None = None, before: str | None = None, limit: int = 100
) -> HeldBackPage:
    """Each golden record that is held back now, the newest first.

    Raises Fatal when the limit is out of range, or `before` is not of a page.
    """
    publish_id, _, golden_id = (before or "").partition("/")
    if before and not (_NUMBER.fullmatch(publish_id) and _UUID.fullmatch(golden_id)):
        raise Fatal(f"{before!r} is not what a page gives for the next one: a number, / and the id of a golden record.")
    with connection.cursor(row_factory=class_row(HeldBackRecord)) as cursor:
        rows = cursor.execute(
            """
            select entity, golden_id::text, published, held_back.reason, expectations, since_publish_id,
                   since.started_at as since, records
            from ops.held_back join ops.publish as since on since.publish_id = held_back.since_publish_id
            where (%(entity)s::text is null or entity = %(entity)s)
                and (%(publish)s::bigint is null or (since_publish_id, golden_id) < (%(publish)s, %(golden)s::uuid))
            order by since_publish_id desc, golden_id desc limit %(rows)s
            """,
            {
                "entity": entity,
                "rows": bounded(limit) + 1,
                "publish": int(publish_id) if before else None,
                "golden": golden_id or None,
            },
        ).fetchall()
    some = tuple(rows[:limit])
    return HeldBackPage(some, f"{some[-1].since_publish_id}/{some[-1].golden_id}" if len(rows) > limit else None)


def warned(connection: psycopg.Connection, *, entity: str | None = None, limit: int = 1000) -> list[Warned]:
    """The warnings of published golden records, the most frequent first within an entity.

    Raises Fatal when the limit is out of range.
    """
    with connection.cursor(row_factory=class_row(Warned)) as cursor:
        return cursor.execute(
            "select entity, reason, count(distinct golden_id) as golden_records from ops.golden_record_warning"
            " where ended_publish_id is null and (%(entity)s::text is null or entity = %(entity)s)"
            " group by entity, reason order by entity, golden_records desc, reason limit %(rows)s",
            {"entity": entity, "rows": bounded(limit)},
        ).fetchall()


def refused_entities(connection: psycopg.Connection) -> Mapping[str, str]:
    """Why the newest publish left these entities as they were; empty when it published all that it touched."""
    row = connection.execute(
        "select coalesce(report -> 'refused', '{}') from ops.publish where state = 'published'"
        " order by publish_id desc limit 1"
    ).fetchone()
    return row[0] if row else {}
