"""What an erasure leaves because a law demands it (ops.kept_by_law), and its erasure when the law's period is over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import psycopg
from psycopg import sql

from onefold.catalog.reader import Catalog
from onefold.privacy.erase_rows import erase_rows
from onefold.privacy.places import Place, places_among
from onefold.privacy.records import GoldenId, RecordId
from onefold.privacy.subject import Subject
from onefold.privacy.suppressions import suppressed_keys, suppressions
from onefold.privacy.values import KnownValues


def kept_records(places: Iterable[Place]) -> dict[RecordId, date | None]:
    """The records of which a law keeps something, each with the last day; None where its date is not known."""
    found: dict[RecordId, date | None] = {}
    for place in places:
        if place.kept and place.record:
            days = (place.kept_until, found.get(place.record, place.kept_until))
            found[place.record] = None if None in days else max(day for day in days if day)
    return found


def remember_kept(connection: psycopg.Connection, erasure_id: int | None, kept: dict[RecordId, date | None]) -> None:
    """Enter what is kept, so that it is erased when its time has come; without an erasure what has come after one."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.kept_by_law (erasure_id, system, stream, _key, until) values (%s, %s, %s, %s, %s)"
            " on conflict (system, stream, _key) do update set until = excluded.until",
            [(erasure_id, *record, until) for record, until in sorted(kept.items(), key=lambda each: each[0])],
        )


def erase_kept(connection: psycopg.Connection, catalog: Catalog, records: Iterable[RecordId]) -> int:
    """Erase from these records what no law keeps any more of people who were erased, in the caller's transaction, and
    from the golden records made of them; returns from how many rows. Raises Fatal as suppressions() does."""
    due = frozenset(records)
    own = {
        (system, stream, key)
        for system, stream in {(system, stream) for system, stream, _ in due}
        for key in suppressed_keys(connection, system, stream)
    }
    scope = Subject(frozenset(), due, frozenset(_golden_of(connection, catalog, due)))
    finder = suppressions(connection) or KnownValues(())
    return erase_rows(connection, places_among(connection, catalog, scope, own & due, finder))


def _golden_of(connection: psycopg.Connection, catalog: Catalog, records: frozenset[RecordId]) -> Iterable[GoldenId]:
    """The golden records of any entity to which the records belong or have belonged."""
    names = ["|".join(record) for record in sorted(records)]
    for name in catalog.entities:
        query = sql.SQL("select distinct {}::text from conformed.{} where record = any (%s)").format(
            sql.Identifier(f"{name}_id"), sql.Identifier(f"{name}_crosswalk_version")
        )
        for (golden_id,) in connection.execute(query, (names,)):
            yield name, golden_id
