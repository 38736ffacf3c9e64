"""Pages → landing: each page and its checkpoint are one transaction, so that a crash costs at most one page.

COPY in binary format takes the record's JSON bytes as they came, without decoding or escaping them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import psycopg
from psycopg import sql

from onefold.connectors.page import Page, Record
from onefold.warehouse.ledger import Load

_GONE = b"deleted"
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SIX_COLUMNS = struct.pack("!h", 6)
_NULL = struct.pack("!i", -1)
_length = struct.Struct("!i").pack
_LENGTHS = tuple(_length(length) for length in range(256))
_ALIVE_HASH, _DELETED_HASH = (_length(1) + flag + _length(16) for flag in (b"\0", b"\1"))
_JSONB = b"\1"
"""jsonb's binary format: its version, then the text."""
_ROWS_PER_WRITE = 500
"""The server takes in what was written while the next rows are packed."""


def record_hash(payload: bytes, deleted: bool) -> bytes:
    """16 bytes that differ when the record differs: its bytes as received, and whether it is deleted."""
    if deleted:
        return blake2b(payload, digest_size=16, person=_GONE).digest()
    return blake2b(payload, digest_size=16).digest()


def open_landing(connection: psycopg.Connection, load: Load) -> None:
    """Make the load's landing table, empty, with a checkpoint at the start."""
    with connection.transaction():
        connection.execute(sql.SQL("drop table if exists {}").format(load.tables.pages))
        connection.execute(
            sql.SQL(
                'create unlogged table {} (_key text collate "C" not null, _cursor text collate "C",'
                " _deleted boolean not null, _hash bytea not null, _extracted_at timestamptz not null,"
                " _payload jsonb not null)"
            ).format(load.tables.pages)
        )
        for shared in ("answer", "unreadable", "checkpoint"):
            connection.execute(
                sql.SQL("delete from {} where load_id = %s").format(sql.Identifier("landing", shared)),
                (load.load_id,),
            )
        connection.execute("insert into landing.checkpoint (load_id) values (%s)", (load.load_id,))
        connection.execute(
            "update ops.load set state = 'extracting', pages = 0, rows_read = 0 where load_id = %s",
            (load.load_id,),
        )


def checkpoint(connection: psycopg.Connection, load: Load) -> tuple[str | None, bool] | None:
    """(token to go on from, whether all pages are in); None when there is nothing to go on from."""
    exists = connection.execute("select to_regclass(%s)", (load.tables.pages.as_string(connection),)).fetchone()[0]
    row = connection.execute(
        "select token, complete from landing.checkpoint where load_id = %s", (load.load_id,)
    ).fetchone()
    return row if exists and row else None


def land_page(connection: psycopg.Connection, load: Load, page: Page, primary_key: list[str]) -> None:
    """Commit one page: its records, its answers, the ledger's counts and the token of the next page."""
    with connection.transaction():
        # Nothing is lost with the last pages' commits: a crash of the server empties landing anyway.
        connection.execute("set local synchronous_commit = off")
        keyed = _keyed(connection, load, page, primary_key)
        try:
            with connection.transaction(), _copying(connection, load) as copy:
                _write(copy, keyed, page.extracted_at)
        except psycopg.DataError:
            readable = _readable(connection, load, keyed, page.extracted_at)
            with _copying(connection, load) as copy:
                _write(copy, readable, page.extracted_at)
        _keep_progress(connection, load, page)


def _keyed(connection: psycopg.Connection, load: Load, page: Page, primary_key: list[str]) -> list[Record]:
    """The page's records that have a key; the others are set aside."""
    keyed = [record for record in page.records if record.key is not None]
    if len(keyed) < len(page.records):
        reason = f"the primary key ({', '.join(primary_key)}) is missing"
        for record in page.records:
            if record.key is None:
                _set_aside(connection, load, record, page.extracted_at, reason)
    return keyed


def _keep_progress(connection: psycopg.Connection, load: Load, page: Page) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into landing.answer values (%s, %s, %s, %s)",
            [
                (load.load_id, answer.question, answer.outcome, page.extracted_at)
                for answer in page.answers
                if answer.outcome != "failed"
            ],
        )
    connection.execute(
        "update landing.checkpoint set token = %s, complete = %s where load_id = %s",
        (page.token, page.token is None, load.load_id),
    )
    connection.execute(
        "update ops.load set pages = pages + 1, rows_read = rows_read + %s where load_id = %s",
        (len(page.records), load.load_id),
    )


def finish_landing(connection: psycopg.Connection, load: Load, seconds: float) -> None:
    """All pages are in: state landed. A source that gave no page at all has landed too, with nothing."""
    with connection.transaction():
        connection.execute("update landing.checkpoint set complete = true where load_id = %s", (load.load_id,))
        connection.execute(
            "update ops.load set state = 'landed', seconds_extracting = seconds_extracting + %s where load_id = %s",
            (seconds, load.load_id),
        )


def mark_gated(connection: psycopg.Connection, load: Load, seconds: float) -> None:
    """The gate has passed the load: state gated, in the ledger and beside the pages that it speaks of."""
    connection.execute("update landing.checkpoint set gated = true where load_id = %s", (load.load_id,))
    connection.execute(
        "update ops.load set state = 'gated', seconds_gating = seconds_gating + %s where load_id = %s",
        (seconds, load.load_id),
    )


def is_gated(connection: psycopg.Connection, load: Load) -> bool:
    """Whether what the gate passed is still there; a crash of the database empties landing, but not the ledger."""
    row = connection.execute("select gated from landing.checkpoint where load_id = %s", (load.load_id,)).fetchone()
    return row is not None and row[0]


@contextmanager
def _copying(connection: psycopg.Connection, load: Load) -> Iterator[psycopg.Copy]:
    statement = sql.SQL(
        "copy {} (_key, _cursor, _deleted, _hash, _extracted_at, _payload) from stdin (format binary)"
    ).format(load.tables.pages)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        yield copy


def _write(copy: psycopg.Copy, records: Sequence[Record], extracted_at: datetime) -> None:
    at = struct.pack("!iq", 8, (extracted_at - _EPOCH) // _MICROSECOND)
    copy.write(_SIGNATURE)
    for first in range(0, len(records), _ROWS_PER_WRITE):
        copy.write(_packed(records[first : first + _ROWS_PER_WRITE], at))
    copy.write(_TRAILER)


def _packed(records: Sequence[Record], at: bytes) -> bytes:
    """The records in COPY's binary format: six columns, each its length and its bytes (length -1: NULL).

    One loop with nothing called that need not be: this is what the speed of landing hangs on.
    """
    parts: list[bytes] = []
    for record in records:
        key, payload = record.key.encode(), record.payload
        cursor = record.cursor
        parts += (
            _SIX_COLUMNS,
            _LENGTHS[len(key)] if len(key) < 256 else _length(len(key)),
            key,
            _NULL if cursor is None else _LENGTHS[len(cursor)] + cursor.encode(),
            _DELETED_HASH if record.deleted else _ALIVE_HASH,
            record_hash(payload, record.deleted),
            at,
            _length(len(payload) + 1),
            _JSONB,
            payload,
        )
    return b"".join(parts)


def _readable(
    connection: psycopg.Connection, load: Load, records: list[Record], extracted_at: datetime
) -> list[Record]:
    """The records that PostgreSQL can hold; the others are set aside with the reason that it gives."""
    good = []
    for record in records:
        text, key = _as_text(record.payload), record.key
        fault = (
            "the record is not valid UTF-8"
            if text.encode() != record.payload
            else "the primary key holds a character that PostgreSQL cannot store (U+0000)"
            if "\0" in key
            else connection.execute(
                "select message from pg_input_error_info(%s, 'jsonb') where message is not null", (text,)
            ).fetchone()
        )
        if fault is None:
            good.append(record)
        else:
            reason = fault if isinstance(fault, str) else f"the record is not storable JSON: {fault[0]}"
            _set_aside(connection, load, record, extracted_at, reason)
    return good


def _set_aside(connection: psycopg.Connection, load: Load, record: Record, extracted_at: datetime, reason: str) -> None:
    connection.execute(
        "insert into landing.unreadable values (%s, %s, %s, %s, %s)",
        (load.load_id, _as_text(record.payload), reason, record_hash(record.payload, record.deleted), extracted_at),
    )


def _as_text(payload: bytes) -> str:
    return payload.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
