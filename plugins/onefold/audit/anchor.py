"""Heads of the chain, in a file outside the database: they show deleted last events, or a rewritten chain."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec
import psycopg
from psycopg.rows import tuple_row

from onefold.errors import Fatal

_HEAD = """
select seq, encode(hash, 'hex'), to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
from audit.event order by seq desc limit 1
"""
_SAME = "select encode(hash, 'hex') from audit.event where seq = %s"
_TAIL_BYTES = 4_096  # far more than one anchor's line


class Anchor(msgspec.Struct, frozen=True):
    """The chain's head when it was anchored: event `seq`, of time `at`, had this hash."""

    seq: int
    hash: str
    at: str


def anchor(conn: psycopg.Connection, path: Path) -> Anchor | None:
    """Append the chain's committed head to the file, fsynced; returns it, or None when there was nothing new.

    Call it after the commit, outside any transaction: a head that is rolled back must not be anchored. The
    file is locked meanwhile, so its sequence only rises. Raises Fatal when the newest anchored event is no
    longer in the chain with its hash, or when a transaction is open.
    """
    if conn.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE:
        raise Fatal("anchor() was called inside a transaction: commit first.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        last = _last_whole_line(file, path)
        with conn.transaction(), conn.cursor(row_factory=tuple_row) as cursor:
            if last is not None:
                found = cursor.execute(_SAME, (last.seq,)).fetchone()
                if found is None or found[0] != last.hash:
                    what = "missing" if found is None else "changed"
                    raise Fatal(
                        f"Audit event {last.seq}, anchored in {path}, is {what}. Run 'onefold audit verify'. "
                        "If the warehouse was rebuilt on purpose, move the file away."
                    )
            row = cursor.execute(_HEAD).fetchone()
        if row is None or (last is not None and row[0] <= last.seq):
            return None
        head = Anchor(*row)
        file.write(msgspec.json.encode(head) + b"\n")
        file.flush()
        os.fsync(file.fileno())
        return head


def anchors(path: Path) -> Iterator[Anchor]:
    """Every anchor that the file has when reading starts, oldest first.

    Anchors that are added later may be of events that the reader of the chain does not see yet. A last line without
    its end was written by a process that was stopped, and is skipped. Raises Fatal, naming the line, when one cannot be
    read.
    """
    with path.open("rb") as lines:
        left = os.fstat(lines.fileno()).st_size
        for number, line in enumerate(lines, start=1):
            left -= len(line)
            if left < 0:
                return
            if line.endswith(b"\n"):
                yield _decode(line, path, f"line {number}")


def _last_whole_line(file: IO[bytes], path: Path) -> Anchor | None:
    """The newest anchor. An incomplete line after it (its writer was stopped) is cut off, so that the next line is
    complete.
    """
    size = file.seek(0, os.SEEK_END)
    start = file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read()
    whole = tail[: tail.rfind(b"\n") + 1]
    if len(whole) < len(tail):
        file.truncate(start + len(whole))
    return _decode(whole.splitlines()[-1], path, "last line") if whole else None


def _decode(line: bytes, path: Path, where: str) -> Anchor:
    try:
        return msgspec.json.decode(line, type=Anchor)
    except msgspec.MsgspecError as error:
        raise Fatal(
            f"{path}, {where} is not an anchor ({error}). Compare the file with its backup: "
            "without it, nobody can see that the last audit events were deleted."
        ) from error
