"""The steps of an erasure, while no load and no conform can write what it has just read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import psycopg

from onefold.catalog.reader import Catalog
from onefold.catalog.target import Target
from onefold.errors import Fatal, Retriable
from onefold.load.inbox_places import TABLE as INBOX
from onefold.load.inbox_places import Wanted, find_in_inbox
from onefold.load.person import find_everywhere
from onefold.privacy.erase_rows import erase_rows
from onefold.privacy.places import Place, find_places, find_places_again
from onefold.privacy.subject import Subject
from onefold.privacy.tables import EVIDENCE_SCHEMAS, warehouse_tables
from onefold.privacy.values import Finder
from onefold.write_back.erased import end_intents, intended_targets, supersede_plans
from onefold.write_back.outbox import lock_name

PATIENCE_SECONDS = 300
"""How long to wait for the loads of one stream, or a write-back to one target."""


def streams_to_lock(connection: psycopg.Connection, subject: Subject, places: Iterable[Place]) -> list[tuple[str, str]]:
    """The streams whose loads must not run meanwhile: those with something of the person, or with a load in progress.

    Any other stream can only read something of the person from now on, and the gate keeps that out.
    """
    found = {(system, stream) for system, stream, _ in subject.records}
    for place in places:
        if place.table.system and place.table.stream:
            found.add((place.table.system, place.table.stream))
    found |= {
        (system, stream)
        for system, stream in connection.execute(
            "select distinct system, stream from ops.load where state in ('extracting', 'landed', 'gated')"
        )
    }
    return sorted(found)


@contextmanager
def streams_locked(
    connection: psycopg.Connection, streams: Iterable[tuple[str, str]], patience: float = PATIENCE_SECONDS
) -> Iterator[None]:
    """Hold the streams' locks, and those of all write-backs; waits for what runs. Raises Retriable when one takes
    longer than the patience."""
    locks = [(f"{system}.{stream}", 1, f"{system}.{stream} has been loaded") for system, stream in streams]
    locks += [
        (lock_name(target), 0, f"A write-back to {target} has been running") for target in intended_targets(connection)
    ]
    held: list[tuple[str, int]] = []
    connection.execute("select set_config('lock_timeout', %s, false)", (f"{int(patience * 1000)}ms",))
    try:
        for name, namespace, busy in locks:
            try:
                connection.execute("select pg_advisory_lock(hashtextextended(%s, %s))", (name, namespace))
            except psycopg.errors.LockNotAvailable as error:
                raise Retriable(
                    f"{busy} for {int(patience)} seconds. Nothing more comes in of the person, but what is there is "
                    "not erased yet. Let it end; this is tried again."
                ) from error
            held.append((name, namespace))
        yield
    finally:
        if not connection.closed:
            connection.execute("reset lock_timeout")
            for name, namespace in held:
                connection.execute("select pg_advisory_unlock(hashtextextended(%s, %s))", (name, namespace))


def erase_places(
    connection: psycopg.Connection,
    catalog: Catalog,
    targets: Mapping[str, Target],
    subject: Subject,
    places: Iterable[Place],
) -> list[Place]:
    """Erase what is still at these places, inside the caller's transaction; returns what was erased, and what is kept.

    Loads in progress are gated again, from the pages that they have landed. What earlier loads had read and staging
    does not show is erased too, so that neither a rollback nor its undo can bring anything back. What was intended to
    be written into other systems never is.
    """
    there = {table.full_name for table in warehouse_tables(connection, catalog)}  # a load that ends drops its pages
    every = list(places)
    found = [place for place in every if place.table.full_name in there]
    now = list(find_places_again(connection, catalog, subject, found))
    received = [place.at for place in every if place.table.full_name == INBOX]
    now += (
        event.place for event in find_in_inbox(connection, catalog, Wanted(subject.records, subject.known), received)
    )
    in_plans = [place.at for place in now if place.table.full_name == "ops.write_back_plan_row"]
    supersede_plans(connection, subject.golden, in_plans)
    erase_rows(connection, now)
    end_intents(connection, targets, subject.golden)
    _gate_again(connection)
    return now


def erase_suppressed(
    connection: psycopg.Connection, catalog: Catalog, subject: Subject, finder: Finder | None
) -> set[str]:
    """Erase, inside the caller's transaction, whomever the finder finds; returns the tables that it changed."""
    changed: set[str] = set()
    for table in warehouse_tables(connection, catalog):
        if erase_rows(connection, find_places(connection, catalog, subject, [table], finder)):
            changed.add(table.full_name)
    if finder:
        received = find_in_inbox(connection, catalog, Wanted(subject.records, finder))
        changed |= {INBOX} if erase_rows(connection, (event.place for event in received)) else set()
    _gate_again(connection)
    return changed


def places_left(connection: psycopg.Connection, catalog: Catalog, subject: Subject) -> list[Place]:
    """Search everything once more: where something is that can be erased."""
    return [place for place in find_everywhere(connection, catalog, subject) if place.fields]


def require_nothing_left(
    connection: psycopg.Connection, catalog: Catalog, subject: Subject, left: Iterable[Place]
) -> None:
    """Raises Fatal where something is left, also where nothing can be erased: in the audit trail or the lineage, which
    never hold personal values."""
    evidence = warehouse_tables(connection, catalog, EVIDENCE_SCHEMAS)
    tables = {place.table.full_name for place in left}
    tables |= {place.table.full_name for place in find_places(connection, catalog, subject, evidence) if place.fields}
    if tables:
        raise Fatal(
            f"Something of the person is still in {', '.join(sorted(tables))}. The erasure is not done; please report "
            "it as a bug, with these names and no value."
        )


def _gate_again(connection: psycopg.Connection) -> None:
    connection.execute(
        "update landing.resume_token set gated = false where load_id in"
        " (select load_id from ops.load where state in ('extracting', 'landed', 'gated'))"
    )
