"""Makes a checkpoint of the chain after a commit: in the warehouse, for all machines, and in this one's file."""

from __future__ import annotations

import base64
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import msgspec
import psycopg
from psycopg.rows import tuple_row

from onefold.audit import signing_key
from onefold.audit.anchor import Anchor, anchors, last_whole_line
from onefold.audit.anchor_store import lock_store, newest_stored, removed, store, stored_from
from onefold.audit.checkpoint import Checkpoint, read_checkpoint
from onefold.audit.merkle import Tree
from onefold.audit.signed_note import Signer
from onefold.errors import Fatal
from onefold.private_files import append_private

_SINCE = """
select seq, hash, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
from audit.event where seq >= %s order by seq limit %s
"""
_ROWS_PER_QUERY = 20_000


def anchor(conn: psycopg.Connection, path: Path) -> Anchor | None:
    """Add a signed checkpoint of the chain's committed head to the store and to the file, both on disk; None when there
    was nothing new.

    What other machines have added since comes into the file first. Reads and hashes only the events since the file's
    last checkpoint (all of them once, where `tree.json` beside the file is lost). Call it after the commit, outside any
    transaction: a head that is rolled back must not be anchored. File and store are locked meanwhile, so that their
    sequence only rises. Raises Fatal when the newest anchored event is no longer in the chain with its hash, when the
    store lacks what the file has, when the key to sign with is gone or another installation's, or when a transaction is
    open.
    """
    if conn.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE:
        raise Fatal("anchor() was called inside a transaction: commit first.")
    with append_private(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        own = last_whole_line(file, path)
        tree = _stored_tree(path, own)
        with conn.transaction():
            lock_store(conn)
            stored = stored_from(conn, own.seq if own else 0)
            others = [each for each in stored if own is None or each.seq > own.seq]
            last = others[-1] if others else own
            found, hash_, at = _grow(conn, tree, last)
            if last is not None and hash_.get(last.seq) != last.hash:
                what = "changed" if last.seq in hash_ else "missing"
                raise Fatal(
                    f"Audit event {last.seq}, anchored in {path if last is own else 'audit.anchor'}, is {what}. Run "
                    "'onefold audit verify' and follow docs/runbooks/broken-chain.md. If the warehouse was rebuilt on "
                    "purpose, move the file away."
                )
            if own is not None and (own.seq, own.hash) not in {(each.seq, each.hash) for each in stored[:1]}:
                _store_older_file(conn, path, own)
            signers = _signers(path, last)
            nothing_new = found == 0 or (
                last is not None and found == last.seq and last.checkpoint and len(signers) == 1
            )
            head = None
            if not nothing_new:
                note = Checkpoint(signers[-1].verifier.name, tree.size, tree.root()).signed(signers)
                head = Anchor(found, hash_[found], at, note)
                if last is None or head.seq > last.seq:
                    store(conn, [head])
        _add(file, [*others, *([head] if head else [])])
        if head or others:
            _store_tree(path, tree)
        return head


def _add(file: IO[bytes], new: Sequence[Anchor]) -> None:
    """After the store: what this process does not come to, the next one finds there."""
    if new:
        file.write(b"".join(msgspec.json.encode(each) + b"\n" for each in new))
        file.flush()
        os.fsync(file.fileno())


def _store_older_file(conn: psycopg.Connection, path: Path, own: Anchor) -> None:
    """The first anchor after an upgrade: those from before there was a store get into it."""
    if newest_stored(conn) is not None:
        raise removed(own)
    store(conn, {each.seq: each for each in anchors(path)}.values())  # an unsigned one may have been signed later


def _signers(path: Path, last: Anchor | None) -> list[Signer]:
    """What signs here. Raises Fatal when the newest checkpoint is of another log: this machine lacks the key."""
    theirs = read_checkpoint(last.checkpoint).checkpoint.origin if last and last.checkpoint else None
    if theirs is None or signing_key.is_there(path.parent):
        signing_key.ensure_key(path.parent)
        signers = signing_key.signers(path.parent)
        if theirs in (None, signers[-1].verifier.name):
            return signers
    raise Fatal(
        f"This machine does not have the key that signs the checkpoints of {theirs}. Give each machine the same one: "
        "ONEFOLD_AUDIT_SIGNING_KEY_FILE (docs/scale-out.md). What was committed is whole; it is not anchored yet."
    )


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
