"""The anchors in the warehouse (audit.anchor), which every machine adds to and none can change.

They are no proof by themselves: whoever owns the database can cut the chain and them together. The files of the
machines are (anchor.py), and the copies elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import chain

import psycopg
from psycopg.rows import tuple_row

from onefold.audit.anchor import Anchor
from onefold.errors import Fatal

_LOCK = "select pg_advisory_xact_lock(x'616e63686f72'::bigint)"
_COLUMNS = """
select seq, encode(hash, 'hex'), to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), checkpoint,
       encode(link, 'hex')
from audit.anchor
"""
_INSERT = "insert into audit.anchor (seq, hash, checkpoint) values (%s, decode(%s, 'hex'), %s)"
_ROWS_PER_FETCH = 2_000


def lock_store(conn: psycopg.Connection) -> None:
    """Until the transaction's end no other machine adds an anchor."""
    conn.execute(_LOCK)


def newest_stored(conn: psycopg.Connection) -> Anchor | None:
    """The newest anchor of the store; None when it has none."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(_COLUMNS + "order by seq desc limit 1").fetchone()
    return Anchor(*row[:4]) if row else None


def stored_from(conn: psycopg.Connection, seq: int) -> list[Anchor]:
    """The anchors of the store from that of event `seq` on, oldest first."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        return [Anchor(*row[:4]) for row in cursor.execute(_COLUMNS + "where seq >= %s order by seq", (seq,))]


def store(conn: psycopg.Connection, new: Iterable[Anchor]) -> None:
    """Add them. The database raises where one is not of the chain, or is older than the newest."""
    with conn.cursor() as cursor:
        cursor.executemany(_INSERT, [(each.seq, each.hash, each.checkpoint) for each in new])


def stored_anchors(conn: psycopg.Connection) -> Iterator[Anchor]:
    """Every anchor of the store, oldest first, streamed. Raises Fatal when a row was changed, put in or removed before
    another one: its link does not fit."""
    link = b""
    with conn.transaction(), conn.cursor("audit_anchors", row_factory=tuple_row) as cursor:
        cursor.itersize = _ROWS_PER_FETCH
        for seq, hash_, at, checkpoint, stored in cursor.execute(_COLUMNS + "order by seq"):
            link = hashlib.sha256(link + f"{seq}\n{hash_}\n{checkpoint}".encode()).digest()
            if link.hex() != stored:
                raise Fatal(
                    f"The anchor of audit event {seq} in audit.anchor is not linked to the one before it: a row was "
                    "changed or removed by the database's owner. See docs/runbooks/broken-chain.md."
                )
            yield Anchor(seq, hash_, at, checkpoint)


def require_all_stored(conn: psycopg.Connection, kept: Iterable[Anchor]) -> None:
    """Raises Fatal when the store lacks an anchor that a machine's file has: the database's owner has removed it."""
    lines = iter(kept)
    first = next(lines, None)  # opens the file: what it has is in the store by now
    stored = stored_anchors(conn)
    there = next(stored, None)
    for each in chain([first] if first else [], lines):
        while there is not None and there.seq < each.seq:
            there = next(stored, None)
        if there is None or (there.seq, there.hash) != (each.seq, each.hash):
            raise removed(each)
    for _ in stored:  # the links of the rest
        continue


def removed(one: Anchor) -> Fatal:
    """Says that an anchor which this machine has written is not in the store."""
    return Fatal(
        f"The anchor of audit event {one.seq} is in this machine's file and not in audit.anchor: the database's owner "
        "has removed or changed its row. See docs/runbooks/broken-chain.md."
    )
