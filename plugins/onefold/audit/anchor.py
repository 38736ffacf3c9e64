"""Checkpoints of the chain, in a file outside the database: they show deleted last events, or a rewritten chain.

Each line is one JSON object: the head (seq, hash, at) and the signed checkpoint over all events up to it. Lines of
releases before checkpoints hold the head alone; they stay, and are verified like the others.
"""

from __future__ import annotations

import base64
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec
import psycopg
from psycopg.rows import tuple_row

from onefold.audit import signing_key
from onefold.audit.checkpoint import Checkpoint, read_checkpoint
from onefold.audit.merkle import Tree
from onefold.errors import Fatal
from onefold.private_files import append_private

_SINCE = """
select seq, hash, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
from audit.event where seq >= %s order by seq limit %s
"""
_ROWS_PER_QUERY = 20_000
_TAIL_BYTES = 16_384  # far more than one anchor's line


class Anchor(msgspec.Struct, frozen=True, omit_defaults=True):
    """The chain's head when it was anchored: event `seq`, of time `at`, had this hash.

    `checkpoint` is the signed note over the events up to it; empty in what was written before there were any.
    """

    seq: int
    hash: str
    at: str
    checkpoint: str = ""


def anchor(conn: psycopg.Connection, path: Path) -> Anchor | None:
    """Append a signed checkpoint of the chain's committed head to the file, fsynced; None when there was nothing new.

    Reads and hashes only the events since the last one (all of them once, where `tree.json` beside the file is lost).
    Call it after the commit, outside any transaction: a head that is rolled back must not be anchored. The
    file is locked meanwhile, so its sequence only rises. Raises Fatal when the newest anchored event is no
    longer in the chain with its hash, when the key to sign with is gone, or when a transaction is open.
    """
    if conn.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE:
        raise Fatal("anchor() was called inside a transaction: commit first.")
    with append_private(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        last = _last_whole_line(file, path)
        signing_key.ensure_key(path.parent)
        signers = signing_key.signers(path.parent)
        tree = _stored_tree(path, last)
        found, hash_, at = _grow(conn, tree, last)
        if last is not None and hash_.get(last.seq) != last.hash:
            what = "changed" if last.seq in hash_ else "missing"
            raise Fatal(
                f"Audit event {last.seq}, anchored in {path}, is {what}. Run 'onefold audit verify' and follow "
                "docs/runbooks/broken-chain.md. If the warehouse was rebuilt on purpose, move the file away."
            )
        nothing_new = last is not None and found == last.seq and last.checkpoint and len(signers) == 1
        if found == 0 or nothing_new:
            return None
        note = Checkpoint(signers[-1].verifier.name, tree.size, tree.root()).signed(signers)
        head = Anchor(found, hash_[found], at, note)
        file.write(msgspec.json.encode(head) + b"\n")
        file.flush()
        os.fsync(file.fileno())
        _store_tree(path, tree)
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


def last_anchor(path: Path) -> Anchor | None:
    """The newest anchor of the file; None when there is none. Raises Fatal when it cannot be read."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        whole = _whole_tail(file)[0]
    return _decode(whole.splitlines()[-1], path, "last line") if whole else None


def anchors_after(path: Path, seq: int) -> Iterator[Anchor]:
    """The anchors of events after `seq`; reads the file's end only, where that is enough."""
    with path.open("rb") as file:
        whole = _whole_tail(file)[0]
        at_start = file.seek(0, os.SEEK_END) <= _TAIL_BYTES
    tail = [_decode(line, path, "last lines") for line in whole.splitlines()[0 if at_start else 1 :]]
    enough = at_start or (bool(tail) and tail[0].seq <= seq)
    yield from (each for each in (tail if enough else anchors(path)) if each.seq > seq)


def _grow(conn: psycopg.Connection, tree: Tree, last: Anchor | None) -> tuple[int, dict[int, str], str]:
    """Add what the chain has beyond the tree. Returns the head's number (0: no events), the hashes of it and of `last`,
    and its time.

    Raises Fatal when an event is missing in between.
    """
    hashes: dict[int, str] = {}
    found, at, first = 0, "", max(tree.size, 1)
    with conn.transaction(), conn.cursor(row_factory=tuple_row) as cursor:
        while rows := cursor.execute(_SINCE, (first, _ROWS_PER_QUERY)).fetchall():
            for seq, event_hash, _ in rows:
                if seq > tree.size + 1:
                    raise Fatal(f"Audit event {tree.size + 1} is missing from the chain. Run 'onefold audit verify'.")
                if seq > tree.size:
                    tree.add(event_hash)
                if last is not None and seq == last.seq:
                    hashes[seq] = event_hash.hex()
            found, at = rows[-1][0], rows[-1][2]
            hashes[found] = rows[-1][1].hex()
            if len(rows) < _ROWS_PER_QUERY:
                break
            first = found + 1
    return found, hashes, at


class _StoredTree(msgspec.Struct, frozen=True):
    size: int
    nodes: list[str]


def _tree_file(path: Path) -> Path:
    return path.with_name("tree.json")


def _stored_tree(path: Path, last: Anchor | None) -> Tree:
    """The tree as the last checkpoint left it; an empty one, to be filled anew, when what is stored differs."""
    if last is None or not last.checkpoint:
        return Tree()
    try:
        stored = msgspec.json.decode(_tree_file(path).read_bytes(), type=_StoredTree)
        tree = Tree(stored.size, [base64.b64decode(node) for node in stored.nodes])
    except (OSError, ValueError):  # msgspec's and base64's errors are ValueErrors
        return Tree()
    checkpoint = read_checkpoint(last.checkpoint).checkpoint
    return tree if (tree.size, tree.root()) == (checkpoint.size, checkpoint.root) else Tree()


def _store_tree(path: Path, tree: Tree) -> None:
    """Not fsynced: what a power cut leaves of it is checked against the last checkpoint, and made anew."""
    stored = _StoredTree(tree.size, [base64.b64encode(node).decode() for node in tree.nodes])
    draft = _tree_file(path).with_suffix(".draft")  # the anchors' lock is held: nobody else writes it
    draft.write_bytes(msgspec.json.encode(stored))
    draft.replace(_tree_file(path))


def _last_whole_line(file: IO[bytes], path: Path) -> Anchor | None:
    """The newest anchor. An incomplete line after it (its writer was stopped) is cut off, so that the next line is
    complete.
    """
    whole, end = _whole_tail(file)
    if end < file.seek(0, os.SEEK_END):
        file.truncate(end)
    return _decode(whole.splitlines()[-1], path, "last line") if whole else None


def _whole_tail(file: IO[bytes]) -> tuple[bytes, int]:
    """The last complete lines of the file, and where they end."""
    start = max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES)
    file.seek(start)
    tail = file.read()
    whole = tail[: tail.rfind(b"\n") + 1]
    return whole, start + len(whole)


def _decode(line: bytes, path: Path, where: str) -> Anchor:
    try:
        return msgspec.json.decode(line, type=Anchor)
    except msgspec.MsgspecError as error:
        raise Fatal(
            f"{path}, {where} is not an anchor ({error}). Compare the file with its backup: "
            "without it, nobody can see that the last audit events were deleted."
        ) from error
