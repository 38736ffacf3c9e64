"""A person wherever the warehouse has something of them: in its tables, which privacy/ searches, and in the inbox,
whose events only their connectors can read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import psycopg

from onefold.catalog.reader import Catalog
from onefold.load.inbox_places import InboxEvent, Wanted, find_in_inbox, identifiers_of
from onefold.privacy.places import Place, find_places
from onefold.privacy.records import GoldenId, RecordId
from onefold.privacy.subject import Subject, find_subject
from onefold.privacy.values import PersonalValue


def find_person(
    connection: psycopg.Connection,
    catalog: Catalog,
    values: Iterable[PersonalValue],
    *,
    golden: GoldenId | None = None,
    records: Iterable[RecordId] = (),
) -> Subject:
    """The person, with the records of theirs that no load has read yet. Raises Fatal as find_subject()."""
    given, known = set(values), set(records)
    while True:
        subject = find_subject(connection, catalog, given, golden=golden, records=known)
        own = [each for event in find_received(connection, catalog, subject) for each in event.own]
        more = {(system, stream, key) for system, stream, key in (each.record for each in own) if key is not None}
        identifiers = {value for each in own for value in identifiers_of(connection, catalog, each)}
        if more <= subject.records and identifiers <= subject.values:
            return subject
        given, known = given | identifiers, known | more


def find_received(connection: psycopg.Connection, catalog: Catalog, subject: Subject) -> Iterator[InboxEvent]:
    """Every event of the inbox that holds something of the person."""
    return find_in_inbox(connection, catalog, Wanted(subject.records, subject.known))


def find_everywhere(connection: psycopg.Connection, catalog: Catalog, subject: Subject) -> Iterator[Place]:
    """Every row that holds something of the person, in the inbox too. Raises Fatal as find_places()."""
    yield from find_places(connection, catalog, subject)
    for event in find_received(connection, catalog, subject):
        yield event.place
