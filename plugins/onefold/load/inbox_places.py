"""What of a person stands in the inbox: in events as their senders wrote them, which a load may read again.

An event stays, with its id and its place, so that it is known when it is sent again. Of the records in it goes what
would go from staging, and of what is around them what names the person; an event that is no JSON object is emptied.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.catalog.reader import Catalog
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.message_records import MessageRecords
from onefold.connectors.record import Record
from onefold.connectors.records import dotted
from onefold.errors import Fatal
from onefold.privacy.personal_fields import (
    UNKNOWN_FIELDS,
    Change,
    Path,
    PersonalFields,
    found_changes,
    own_changes,
    personal_fields,
)
from onefold.privacy.places import ERASED, Place
from onefold.privacy.records import RecordId
from onefold.privacy.subject import identifying_texts
from onefold.privacy.tables import WarehouseTable
from onefold.privacy.traders import IsNatural, natural_persons, own_fields
from onefold.privacy.values import Finder, KnownValues, PersonalValue, values_in

TABLE = "inbox.event"
_COLUMNS = {"event_id": "text", "headers": "jsonb", "body": "bytea"}
_EVERY_COLUMN = ("system", "stream", "sequence", "event_id", "received_at", "headers", "body")
_PORTION = 1_000
_EVENTS = sql.SQL(
    """
    select event.ctid::text, received_at, event_id, headers, text, json
    from inbox.event event
    cross join lateral inbox.body_text(body) as text
    cross join lateral (select case when pg_input_is_valid(text, 'jsonb') then text::jsonb end as json) parsed
    where system = {system} and stream = {stream} and sequence > {after} and {condition}
    """
)
_NAMED = sql.SQL("(event_id ~ {pattern} or headers::text ~ {pattern} or coalesce(json::text, text) ~ {pattern})")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is looked for: by the keys of their own records, and by their values."""

    records: Collection[RecordId]
    finder: Finder


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """A record of the person in an event; no key: it cannot be read."""

    record: tuple[str, str, str | None]
    payload: object = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Part:
    """A record in a body: where it stands, and whether it is one of the person."""

    place: Path
    payload: object
    key: str | None
    own: bool
    fields: PersonalFields


@dataclass(frozen=True, slots=True)
class InboxEvent:
    """An event that holds something of the person."""

    received_at: datetime
    place: Place
    own: tuple[OwnRecord, ...]


def find_in_inbox(
    connection: psycopg.Connection, catalog: Catalog, wanted: Wanted, among: Sequence[str] | None = None
) -> Iterator[InboxEvent]:
    """Every event that holds something of the person, of all streams (or of those `among` these places)."""
    streams = connection.execute("select distinct system, stream from inbox.event order by 1, 2").fetchall()
    for name, stream_name in streams:
        system = catalog.systems.get(name)
        if system and stream_name in system.streams:
            yield from find_in_events(connection, system, stream_name, catalog.entities, wanted, among=among)


def identifiers_of(connection: psycopg.Connection, catalog: Catalog, own: OwnRecord) -> Iterator[PersonalValue]:
    """The addresses and PESELs by which the person of a record is known."""
    system, name, _ = own.record
    stream = catalog.systems[system].streams[name]
    texts = identifying_texts(catalog.entities, natural_persons(connection), stream, f"{system}.{name}", own.payload)
    return (value for text in texts for value, _ in values_in(text, personal=False))


def find_in_events(
    connection: psycopg.Connection,
    system: System,
    stream_name: str,
    entities: Mapping[str, Entity],
    wanted: Wanted,
    *,
    after: int = 0,
    among: Sequence[str] | None = None,
) -> list[InboxEvent]:
    """The same of one stream, of its events after a sequence."""
    names = (system.system, stream_name)
    condition: sql.Composable = sql.SQL("true")
    own_keys = any(record[:2] == names for record in wanted.records)
    if isinstance(wanted.finder, KnownValues) and not own_keys:
        if not wanted.finder.values:
            return []
        condition = _NAMED.format(pattern=sql.Literal(wanted.finder.sql_pattern))
    if among is not None:
        condition = sql.SQL("event.ctid = any ({}::tid[])").format(sql.Literal(list(among)))
    query = _EVENTS.format(
        system=sql.Literal(names[0]), stream=sql.Literal(names[1]), after=sql.Literal(after), condition=condition
    )
    search = _Search(natural_persons(connection), system, stream_name, entities, wanted)
    found = []
    with connection.transaction(), connection.cursor("inbox") as cursor:
        cursor.itersize = _PORTION
        for row in cursor.execute(query):
            event = search.event(*row)
            if event.own or event.place.fields or event.place.kept:
                found.append(event)
    return found


class _Search:
    """Looks through the events of one stream."""

    def __init__(
        self, natural: IsNatural, system: System, stream_name: str, entities: Mapping[str, Entity], wanted: Wanted
    ) -> None:
        self._natural = natural
        self._names = (system.system, stream_name)
        self._stream = system.streams[stream_name]
        self._entities = entities
        self._finder = wanted.finder
        self._keys = {record[2] for record in wanted.records if record[:2] == self._names}
        fetch = self._stream.webhook.fetch if self._stream.webhook else None
        self._messages = None if fetch else MessageRecords(system, stream_name)
        names_record = tuple(dotted(path) for path in fetch.fill.values()) if fetch else ()
        self._around = replace(UNKNOWN_FIELDS, technical=names_record)
        self._table = WarehouseTable("inbox", "event", _COLUMNS, frozenset(), _EVERY_COLUMN, *self._names)

    def event(
        self, at: str, received_at: datetime, event_id: str, headers: object, text: str, content: object
    ) -> InboxEvent:
        """What of the person one event holds."""
        parts = list(self._parts(text, content))
        own = tuple(OwnRecord((*self._names, part.key), part.payload) for part in parts if part.own)
        changes: dict[str, Sequence[Change]] = {}
        columns: dict[str, str | list[str] | None] = {}
        if self._finder.find(event_id, personal=False):
            columns["event_id"] = f"erased:{uuid.uuid4().hex}"
        if erasing := found_changes(headers, UNKNOWN_FIELDS, self._finder)[0]:
            changes["headers"] = erasing
        fields = {*columns, *changes}
        kept = _Kept()
        if isinstance(content, dict | list):
            if erasing := [*self._in_parts(parts, fields, kept), *self._around_parts(content, parts, fields)]:
                changes["body"] = erasing
        elif self._finder.find(text, personal=True):  # nobody can say what else in it is the person's
            columns["body"] = ERASED
            fields.add("body")
        place = Place(
            *(self._table, at, bool(own), changes, columns, frozenset(fields)),
            *(frozenset(kept.fields), kept.record, kept.until),
        )
        return InboxEvent(received_at, place, own)

    def _parts(self, text: str, content: object) -> Iterator[_Part]:
        """The records of a body. Where it has not as many places of records as records, each place is of all."""
        if content is None or self._messages is None:
            return
        try:
            keys = [each.key for each in self._messages.of(text.encode()) if isinstance(each, Record)]
        except Fatal:  # its load says why
            keys = []
        places = _record_places(self._stream, content)
        of_place = [[key] for key in keys] if len(keys) == len(places) else [keys] * len(places)
        source = ".".join(self._names)
        for place, its in zip(places, of_place, strict=True):
            payload = _at(content, place)
            texts = identifying_texts(self._entities, self._natural, self._stream, source, payload)
            own = not self._keys.isdisjoint(its) or any(self._finder.find(each, personal=False) for each in texts)
            also = own_fields(self._entities, self._natural, self._stream, source, payload) if own else frozenset()
            yield _Part(place, payload, next(iter(its), None), own, personal_fields(self._stream, also))

    def _in_parts(self, parts: Sequence[_Part], fields: set[str], kept: _Kept) -> Iterator[Change]:
        for part in parts:
            found = own_changes if part.own else found_changes
            erasing, keeping = found(part.payload, part.fields, self._finder)
            fields |= {part.fields.name(change.path) for change in erasing}
            if keeping:
                kept.fields |= {part.fields.name(path) for path in keeping}
                kept.until = part.fields.kept_until(part.payload)
                kept.record = (*self._names, part.key) if part.key is not None else None
            for change in erasing:
                yield Change((*part.place, *change.path), change.to)

    def _around_parts(self, content: object, parts: Sequence[_Part], fields: set[str]) -> Iterator[Change]:
        """Of what stands around records of the person alone everything; of an envelope, which has their order, less."""
        around = _without(content, {part.place for part in parts})
        alone = bool(parts) and all(part.own for part in parts) and not self._stream.request.envelope
        found = own_changes if alone else found_changes
        for change in found(around, self._around, self._finder)[0]:
            fields.add(change.path[0])
            yield change


@dataclass(slots=True)
class _Kept:
    """What a law keeps of an event, of which record and until when."""

    fields: set[str] = field(default_factory=set)
    record: RecordId | None = None
    until: date | None = None


def _record_places(stream: Stream, content: object) -> list[Path]:
    """Where in a body its records stand."""
    if stream.request.envelope:
        top = ("payload",) if isinstance(_at(content, ("payload",)), dict) else ()
        rows = [(*top, name) for name in ("before", "after")]
        return [place for place in rows if isinstance(_at(content, place), dict)]
    path = dotted(stream.records)
    found = _at(content, path)
    if path and isinstance(found, list):
        return [(*path, str(number)) for number in range(len(found))]
    return [path] if isinstance(found, dict) else []


def _at(content: object, place: Path) -> object:
    """What stands there; None: nothing."""
    for step in place:
        if isinstance(content, dict):
            content = content.get(step)
        elif isinstance(content, list):
            content = content[int(step)]
        else:
            return None
    return content


def _without(content: object, places: Collection[Path], at: Path = ()) -> object:
    """The content but for what stands at these places."""
    if at in places:
        return None
    if isinstance(content, dict):
        return {name: _without(part, places, (*at, name)) for name, part in content.items()}
    if isinstance(content, list):
        return [_without(part, places, (*at, str(number))) for number, part in enumerate(content)]
    return content
