"""What an engineer without onefold_pii may read of a stream: the fields that the catalogue says are not personal.

staging.<system>__<stream>__plain has the current records, with a text column for each of those fields, and
staging.<system>__<stream>__waiting those that wait in quarantine, by quarantine_id. A field that the source sends and
the catalogue does not name is in none of them: nobody knows what is in it.
"""

from __future__ import annotations

import hashlib

import psycopg
from psycopg import sql

from onefold.catalog.stream import Stream
from onefold.privacy.personal_fields import personal_fields, places_of
from onefold.quality.faults import field_text
from onefold.warehouse.tables import StagingTable

_BOOKKEEPING = ("_key", "_cursor", "_deleted", "_load_id", "_extracted_at", "_withheld")
"""The columns of a staging table besides the record and its hash, by which guesses at what is hidden could be checked.
No stream's key is personal (privacy/personal_fields.py)."""


def plain_fields(stream: Stream) -> list[str]:
    """The fields that are not personal and hold none that is: an object may have a personal field within it."""
    fields = personal_fields(stream)
    found = []
    for name, field in stream.fields.items():
        place = places_of(name, field)[0]
        holds = any(personal[: len(place)] == place for personal, _ in fields.personal)
        if place and fields.is_plain(place) and not holds:
            found.append(name)
    return found


def ensure_plain_views(connection: psycopg.Connection, streams: list[tuple[StagingTable, Stream]]) -> None:
    """Make each view that is missing, or is of another catalogue than this one, and grant what engineers may read.

    The staging tables must be there.
    """
    held = _notes(connection, "%")
    for table, stream in streams:
        views = [
            (table.plain_name, _definition(table, stream), "The current records' fields that are not personal."),
            (table.waiting_name, _waiting(table, stream), "The same fields of the records that wait in quarantine."),
        ]
        notes = {
            name: f"{what} {hashlib.sha256(view.as_string(connection).encode()).hexdigest()}"
            for name, view, what in views
        }
        if any(held.get(name) != note for name, note in notes.items()):
            with connection.transaction():
                connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 2))", (table.name,))
                made = _notes(connection, table.name)  # another may have made them meanwhile
                for name, view, _ in views:
                    if made.get(name) != notes[name]:
                        _make(connection, sql.Identifier("staging", name), view, notes[name])
                _open_bookkeeping(connection, table)


def _notes(connection: psycopg.Connection, stream: str) -> dict[str, str]:
    """The comments on the views of the streams that are named like this, by view."""
    return dict(
        connection.execute(
            "select c.relname, obj_description(c.oid, 'pg_class') from pg_class as c"
            " where c.relnamespace = 'staging'::regnamespace and c.relkind = 'v'"
            " and (c.relname like %(stream)s || '\\_\\_plain' or c.relname like %(stream)s || '\\_\\_waiting')",
            {"stream": stream},
        ).fetchall()
    )


def _definition(table: StagingTable, stream: Stream) -> sql.Composed:
    columns = [sql.Identifier(name) for name in _BOOKKEEPING]
    return sql.SQL("create view {} as select {} from {}").format(
        table.plain, sql.SQL(", ").join([*columns, *_texts(stream)]), table.current
    )


def _waiting(table: StagingTable, stream: Stream) -> sql.Composed:
    records = sql.SQL(
        "(select quarantine_id, payload as _payload from ops.quarantine where state = 'open' and payload is not null"
        " and system = {} and stream = {}) records"
    ).format(sql.Literal(table.system), sql.Literal(table.stream))
    return sql.SQL("create view {} as select {} from {}").format(
        table.waiting, sql.SQL(", ").join([sql.SQL("quarantine_id"), *_texts(stream)]), records
    )


def _texts(stream: Stream) -> list[sql.Composed]:
    return [
        sql.SQL("{} as {}").format(field_text(name, stream.fields[name]), sql.Identifier(name))
        for name in plain_fields(stream)
        if name not in (*_BOOKKEEPING, "quarantine_id")
    ]


def _make(connection: psycopg.Connection, name: sql.Identifier, view: sql.Composed, note: str) -> None:
    connection.execute(sql.SQL("drop view if exists {}").format(name))
    connection.execute(view)
    connection.execute(sql.SQL("comment on view {} is {}").format(name, sql.Literal(note)))
    connection.execute(sql.SQL("grant select on {} to onefold_engineer").format(name))


def _open_bookkeeping(connection: psycopg.Connection, table: StagingTable) -> None:
    for readable in (table.versions, table.current):
        connection.execute(
            sql.SQL("grant select ({}) on {} to onefold_engineer").format(
                sql.SQL(", ").join(map(sql.Identifier, _BOOKKEEPING)), readable
            )
        )
