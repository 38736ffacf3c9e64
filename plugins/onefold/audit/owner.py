"""An event of the superuser, who upgrades the schema: before audit.append is there, and while it is replaced."""

from __future__ import annotations

from datetime import UTC

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from onefold.audit.chain import GENESIS, Entry, digest
from onefold.audit.event import AuditEvent
from onefold.errors import Fatal

_HEAD = """
select coalesce(head.seq, 0), coalesce(encode(head.hash, 'hex'), %s), clock_timestamp()
from (select 1) as always left join (select seq, hash from audit.event order by seq desc limit 1) as head
on true
"""
_INSERT = """
insert into audit.event (seq, at, actor, action, "from", "to", subject, payload, result, previous_hash, hash)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, decode(%s, 'hex'), decode(%s, 'hex'))
"""


def append_as_owner(conn: psycopg.Connection, event: AuditEvent) -> int:
    """Append the event in the caller's transaction, linked and hashed here, and return its sequence number.

    The table's trigger computes both again, and refuses the row where they differ. Raises
    psycopg.errors.InsufficientPrivilege for any role that does not own the table.
    """
    with conn.cursor(row_factory=tuple_row) as cursor:
        # Waits for every append in progress, by whichever version of the function: none follows before the commit.
        cursor.execute("lock table audit.event in share row exclusive mode")
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
