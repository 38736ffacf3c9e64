"""What a load brings of people who were erased loses its personal values before anything else looks at it.

Records of such a person, by their key, keep their ids and what is not personal; no suite judges them, or they would go
into quarantine for what was erased. From other records only the values go by which the person was known.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from onefold.catalog.entity import Entity
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.inbox import position
from onefold.load.checkpoints import stored_checkpoints
from onefold.load.inbox_places import Wanted, find_in_events
from onefold.load.ledger import Load
from onefold.privacy.erase_rows import erase_rows
from onefold.privacy.kept import remember_kept
from onefold.privacy.personal_fields import Change, PersonalFields, found_changes, own_changes, personal_fields
from onefold.privacy.records import RecordId
from onefold.privacy.subject import identifying_texts
from onefold.privacy.suppressions import Suppressions, suppress_record, suppressed_keys, suppressions
from onefold.privacy.traders import natural_persons, own_fields
from onefold.privacy.values import Finder, KnownValues
from onefold.warehouse.tables import StagingTable

log = logging.getLogger(__name__)

_PORTION = 5000


def erase_landed(connection: psycopg.Connection, load: Load, stream: Stream, entities: Mapping[str, Entity]) -> int:
    """Erase in the load's pages, and among its unreadable records; returns in how many rows something was.

    Costs nothing before the first erasure. After it, the records that are not in staging just as they were read are
    looked through. One that a person who was erased has under another key is theirs from then on. Raises Fatal as
    suppressions() does.
    """
    register = suppressions(connection)
    if not register and not suppressed_keys(connection, load.system, load.stream):
        return 0
    fields = personal_fields(stream)
    erased, kept = 0, Kept()
    if register:
        _know_again(connection, load, stream, entities, register)
        keys = suppressed_keys(connection, load.system, load.stream)
        erased += _update(connection, load, _others(connection, load, keys, fields, register, kept))
        erased += _erase_unreadable(connection, load, register)
    keys = suppressed_keys(connection, load.system, load.stream)
    own = _own_rows(connection, load, keys, stream, entities, register or KnownValues(()), kept)
    erased += _update(connection, load, own)
    remember_kept(connection, None, kept)
    if erased:
        log.info("%s.%s load %s: %s rows without what was erased", load.system, load.stream, load.load_id, erased)
    return erased


def erase_received(connection: psycopg.Connection, load: Load, system: System, entities: Mapping[str, Entity]) -> int:
    """Erase in the events of the inbox that the load has read, after erase_landed(); returns in how many. A person who
    was erased goes on being written about by senders. Raises Fatal as suppressions() does."""
    keys = suppressed_keys(connection, load.system, load.stream)
    register = suppressions(connection)
    if not (register or keys) or not system.streams[load.stream].by_inbox:
        return 0
    named = f"{load.system}.{load.stream}"
    checkpoint = stored_checkpoints(connection, load.system, load.stream).get("", "0")
    wanted = Wanted({(load.system, load.stream, key) for key in keys}, register or KnownValues(()))
    events = find_in_events(connection, system, load.stream, entities, wanted, after=position(checkpoint, named))
    erased = erase_rows(connection, [event.place for event in events])
    if erased:
        log.info("%s load %s: %s events of the inbox without what was erased", named, load.load_id, erased)
    return erased


def _know_again(
    connection: psycopg.Connection, load: Load, stream: Stream, entities: Mapping[str, Entity], register: Suppressions
) -> None:
    source = f"{load.system}.{load.stream}"
    if not any(entity.person and source in entity.streams for entity in entities.values()):
        return
    keys = suppressed_keys(connection, load.system, load.stream)
    natural = natural_persons(connection)
    found = {
        key: erasure_id
        for _, key, text in _unlike_staging(connection, load, keys)
        if _worth_a_look(text, register)
        for part in identifying_texts(entities, natural, stream, source, _parsed(text))
        if (erasure_id := register.erasure_of(part))
    }
    for key, erasure_id in found.items():
        suppress_record(connection, erasure_id, (load.system, load.stream, key))


def _unlike_staging(connection: psycopg.Connection, load: Load, keys: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Place, key and text of the landed records of others; of what stands in staging just so nothing was erased."""
    rows = sql.SQL(
        "select ctid::text, _key, _payload from {pages} read where _key <> all ({keys}::text[])"
        " and not exists (select from {versions} held where held._key = read._key and held._hash = read._hash)"
    ).format(
        pages=load.tables.pages,
        keys=sql.Literal(list(keys)),
        versions=StagingTable(load.system, load.stream).versions,
    )
    with connection.transaction(), connection.cursor("landed") as cursor:
        cursor.itersize = _PORTION
        yield from cursor.execute(rows)


Row = tuple[str, Sequence[Change]]
"""Where a page's row is (ctid), and what is erased of it."""
Kept = dict[RecordId, date | None]
"""In which records a law keeps something, and until when."""


def _own_rows(
    connection: psycopg.Connection,
    load: Load,
    keys: Sequence[str],
    stream: Stream,
    entities: Mapping[str, Entity],
    finder: Finder,
    kept: Kept,
) -> Iterator[Row]:
    natural = natural_persons(connection)
    rows = connection.execute(
        sql.SQL("select ctid::text, _key, _payload from {} where _key = any (%s)").format(load.tables.pages),
        (list(keys),),
    ).fetchall()
    for place, key, text in rows:
        payload = _parsed(text)
        fields = personal_fields(stream, own_fields(entities, natural, stream, f"{load.system}.{load.stream}", payload))
        changes, keeping = own_changes(payload, fields, finder)
        if keeping:
            kept[load.system, load.stream, key] = fields.kept_until(payload)
        if changes:
            yield place, changes


def _others(
    connection: psycopg.Connection,
    load: Load,
    keys: Sequence[str],
    fields: PersonalFields,
    register: Suppressions,
    kept: Kept,
) -> Iterator[Row]:
    for place, key, text in _unlike_staging(connection, load, keys):
        if (register.weak and fields.personal) or _worth_a_look(text, register):
            payload = _parsed(text)
            changes, keeping = found_changes(payload, fields, register)
            if keeping:
                kept[load.system, load.stream, key] = fields.kept_until(payload)
            if changes:
                yield place, changes


def _worth_a_look(text: str, register: Suppressions) -> bool:
    """Parsing is dear: addresses and PESELs are looked for in the text as it came, unless it has escapes."""
    return "\\u" in text or bool(register.find(text, personal=False))


def _update(connection: psycopg.Connection, load: Load, rows: Iterator[Row]) -> int:
    erased, every = 0, list(rows)
    for first in range(0, len(every), _PORTION):
        portion = every[first : first + _PORTION]
        erased += connection.execute(
            sql.SQL(
                """
                update {} read set _payload = erased.payload::text, _hash = ops.erased_hash(erased.payload, _deleted)
                from (
                    select page.ctid as place, ops.erase_paths(page._payload::jsonb, change -> 1) as payload
                    from jsonb_array_elements({}) change join {} page on page.ctid = (change ->> 0)::tid
                ) erased
                where read.ctid = erased.place
                """
            ).format(
                load.tables.pages,
                Jsonb([[place, [[list(each.path), each.to] for each in changes]] for place, changes in portion]),
                load.tables.pages,
            )
        ).rowcount
    return erased


def _erase_unreadable(connection: psycopg.Connection, load: Load, register: Suppressions) -> int:
    """A record that cannot be read is erased whole: nobody can say what else in it is the person's."""
    found = [
        (register.fingerprint(raw), place)
        for place, raw in connection.execute(
            "select ctid::text, raw from landing.unreadable where load_id = %s", (load.load_id,)
        ).fetchall()
        if register.find(raw, personal=True)
    ]
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany("update landing.unreadable set raw = '[erased]', _hash = %s where ctid = %s::tid", found)
    return len(found)


def set_erased_aside(connection: psycopg.Connection, load: Load) -> int:
    """Take the records of erased people out of the candidates while the gate looks at these; returns how many."""
    keys = suppressed_keys(connection, load.system, load.stream)
    if not keys:
        return 0
    connection.execute(sql.SQL("drop table if exists {}").format(load.tables.erased))
    names = {"erased": load.tables.erased, "candidate": load.tables.candidate, "keys": sql.Literal(keys)}
    with connection.transaction():
        connection.execute(
            sql.SQL(
                "create unlogged table {erased} as"
                " select * from {candidate} where _key = any ({keys}::text[]) and not _deleted"
            ).format(**names)
        )
        return connection.execute(
            sql.SQL("delete from {candidate} where _key = any ({keys}::text[]) and not _deleted").format(**names)
        ).rowcount


def put_erased_back(connection: psycopg.Connection, load: Load, aside: int) -> None:
    """What was set aside is a candidate again, which the gate passes as it is."""
    if aside:
        names = {"erased": load.tables.erased, "candidate": load.tables.candidate}
        connection.execute(sql.SQL("insert into {candidate} select * from {erased}").format(**names))


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:  # it becomes an unreadable record, which is looked at by itself
        return None
