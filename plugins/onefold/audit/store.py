"""The chain in the database, and its exported lines."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec
import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from onefold.audit.chain import Entry
from onefold.audit.event import AuditEvent
from onefold.audit.lost import require_nothing_lost
from onefold.audit.tells_only import tells_only
from onefold.errors import Fatal
from onefold.settings import settings

_APPEND = "select audit.append(%s, %s, %s, %s, %s, %s, %s)"
_COLUMNS = """
select action, actor, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), "from", payload::text,
       encode(previous_hash, 'hex'), result, seq, subject, "to", encode(hash, 'hex')
from audit.event
"""
_ROWS_PER_FETCH = 5_000
_payload = msgspec.json.Decoder(dict[str, object]).decode


def append(conn: psycopg.Connection, event: AuditEvent) -> int:
    """Append the event in the caller's transaction and return its sequence number.

    On an autocommit connection outside a transaction() block it is committed at once. The database numbers, links and
    hashes it (audit.append in migrations/repeatable/12_audit.sql): no role but the superuser can insert a row.

    A transaction that changes what readers see ends with such an event, so that this is the one place where a warehouse
    that is older than its anchors is refused: raises Fatal then, unless the event only tells (tells_only.py).

    Appends wait for each other from here to the caller's commit, so call this last before it. A rolled-back
    transaction leaves no gap. Under REPEATABLE READ or above, a concurrent append raises
    psycopg.errors.SerializationFailure: run the transaction again.
    """
    if not tells_only(event):
        require_nothing_lost(conn, settings().audit_anchor)
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = (event.actor, event.action, event.subject, event.from_, event.to, Jsonb(event.plain_payload()))
        appended = cursor.execute(_APPEND, (*row, event.result)).fetchone()
    if appended is None:
        raise Fatal("audit.append gave no number: the database did not answer a function call.")
    return int(appended[0])


def entries_from_database(conn: psycopg.Connection) -> Generator[Entry]:
    """Every entry by sequence, streamed in one snapshot through a server-side cursor: memory stays flat."""
    with conn.transaction(), conn.cursor("audit_entries", row_factory=tuple_row) as cursor:
        cursor.itersize = _ROWS_PER_FETCH
        for row in cursor.execute(_COLUMNS + "order by seq"):
            yield _entry(*row)


def entry_from_database(conn: psycopg.Connection, seq: int) -> Entry:
    """One entry. Raises Fatal when the chain has no event of this number."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(_COLUMNS + "where seq = %s", (seq,)).fetchone()
    if row is None:
        raise Fatal(f"The audit chain has no event {seq}.")
    return _entry(*row)


def newest_entries(conn: psycopg.Connection, most: int) -> Generator[Entry]:
    """The newest entries, the newest first, streamed in the caller's transaction: whoever stops reads no more."""
    with conn.cursor("newest_audit_entries", row_factory=tuple_row) as cursor:
        cursor.itersize = _ROWS_PER_FETCH
        for row in cursor.execute(_COLUMNS + "order by seq desc limit %s", (most,)):
            yield _entry(*row)


def entries_of(conn: psycopg.Connection, actions: Sequence[str]) -> list[Entry]:
    """Every entry of these actions, by sequence."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        query = _COLUMNS + "where action = any (%s) order by seq"
        return [_entry(*row) for row in cursor.execute(query, (list(actions),))]


def entries_about(conn: psycopg.Connection, subject: str) -> list[Entry]:
    """Every entry about one subject, by sequence."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        return [_entry(*row) for row in cursor.execute(_COLUMNS + "where subject = %s order by seq", (subject,))]


def _entry(
    action: str,
    actor: str,
    at: str,
    from_: str | None,
    payload: str,
    previous_hash: str,
    result: str,
    seq: int,
    subject: str,
    to: str | None,
    event_hash: str,
) -> Entry:
    """A row of _COLUMNS."""
    return Entry(action, actor, at, from_, _payload(payload), previous_hash, result, seq, subject, to, event_hash)


def entries_from_file(path: Path) -> Iterator[Entry]:
    """Every entry of an export, one JSON object a line. Raises Fatal, naming the line, where one is not
    readable.
    """
    with path.open("rb") as lines:
        yield from _decode(lines, path)


def _decode(lines: IO[bytes], path: Path) -> Iterator[Entry]:
    decode = msgspec.json.Decoder(Entry).decode
    for number, line in enumerate(lines, start=1):
        try:
            yield decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Fatal(
                f"{path}, line {number} is not an audit event ({error}). "
                "The file was cut or changed: export it again with 'onefold audit export'."
            ) from error
