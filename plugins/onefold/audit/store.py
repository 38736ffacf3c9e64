"""The chain in the database, and its exported lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC
from pathlib import Path
from typing import IO

import msgspec
import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from onefold.audit.chain import GENESIS, Entry, digest
from onefold.audit.event import AuditEvent
from onefold.errors import Fatal

LOCK = int.from_bytes(b"onefold")
"""The advisory lock that puts appends in a row; audit.refuse_fork (a trigger) takes the same."""

_HEAD = """
select coalesce(head.seq, 0), coalesce(encode(head.hash, 'hex'), %s), clock_timestamp()
from (select 1) as always left join (select seq, hash from audit.event order by seq desc limit 1) as head
on true
"""
_INSERT = """
insert into audit.event (seq, at, actor, action, "from", "to", subject, payload, result, previous_hash, hash)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, decode(%s, 'hex'), decode(%s, 'hex'))
"""
_SELECT = """
select action, actor, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), "from", payload::text,
       encode(previous_hash, 'hex'), result, seq, subject, "to", encode(hash, 'hex')
from audit.event order by seq
"""
_ROWS_PER_FETCH = 5_000


def append(conn: psycopg.Connection, event: AuditEvent) -> int:
    """Append the event in the caller's transaction and return its sequence number.

    On an autocommit connection outside a transaction() block it is committed at once.

    Appends wait for each other from here to the caller's commit, so call this last before it. A rolled-back
    transaction leaves no gap. Under REPEATABLE READ or above, a concurrent append raises
    psycopg.errors.SerializationFailure: run the transaction again.
    """
    # transaction() on an idle connection without autocommit would commit before the caller decides to.
    own = conn.transaction() if conn.autocommit else nullcontext()
    with own, conn.cursor(row_factory=tuple_row) as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        # A statement of its own: only a snapshot taken after the lock sees what the one before us committed.
        head = cursor.execute(_HEAD, (GENESIS,)).fetchone()
        if head is None:
            raise Fatal("audit.event gave no head: the database did not answer an aggregate query.")
        last, previous_hash, at = head
        entry = Entry(
            action=event.action,
            actor=event.actor,
            at=at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            from_=event.from_,
            payload=dict(event.plain_payload()),
            previous_hash=previous_hash,
            result=event.result,
            seq=last + 1,
            subject=event.subject,
            to=event.to,
        )
        row = (entry.seq, at, entry.actor, entry.action, entry.from_, entry.to, entry.subject)
        cursor.execute(_INSERT, (*row, Jsonb(entry.payload), entry.result, previous_hash, digest(entry)))
        return entry.seq


def entries_from_database(conn: psycopg.Connection) -> Iterator[Entry]:
    """Every entry by sequence, streamed in one snapshot through a server-side cursor: memory stays flat."""
    payload = msgspec.json.Decoder(dict[str, object]).decode
    with conn.transaction(), conn.cursor("audit_entries", row_factory=tuple_row) as cursor:
        cursor.itersize = _ROWS_PER_FETCH
        for row in cursor.execute(_SELECT):
            action, actor, at, from_, text, previous_hash, result, seq, subject, to, event_hash = row
            yield Entry(action, actor, at, from_, payload(text), previous_hash, result, seq, subject, to, event_hash)


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
