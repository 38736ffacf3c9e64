"""A warehouse that is older than its anchors: a backup was restored, or the newest events were deleted.

Nothing is published then, until somebody says that it was a restore. That is an event of the chain, `audit.restored`,
which names what is lost; the old anchor file is kept beside the new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from onefold.audit.anchor import Anchor, anchor, anchors, last_anchor
from onefold.audit.chain import Entry, Scalar
from onefold.audit.event import AuditEvent
from onefold.audit.owner import append_as_owner
from onefold.errors import Fatal

ACTION = "audit.restored"
_HASH = "select encode(hash, 'hex') from audit.event where seq = %s"
_HASHES = "select seq, encode(hash, 'hex') from audit.event where seq = any (%s)"
_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Restore:
    """A restore as the chain tells it: the events after `kept_seq` up to `anchored_seq` had been anchored, and are not
    those that the chain has now."""

    seq: int
    kept_seq: int
    anchored_seq: int

    def gave_up(self, seq: int) -> bool:
        return self.kept_seq < seq <= self.anchored_seq


def hash_of(conn: psycopg.Connection, seq: int) -> str | None:
    """The hash of the chain's event of this number; None when there is none."""
    found = conn.execute(_HASH, (seq,)).fetchone()
    return str(found[0]) if found else None


def lost_since_anchored(conn: psycopg.Connection, path: Path) -> Anchor | None:
    """The newest anchor of the file when the chain does not have its event; None when the chain goes on from it."""
    last = last_anchor(path)
    if last is None:
        return None
    return None if hash_of(conn, last.seq) == last.hash else last


def require_nothing_lost(conn: psycopg.Connection, path: Path) -> None:
    """Raises Fatal when the chain is older than the anchor file. Call it before what must not be committed then."""
    if lost := lost_since_anchored(conn, path):
        raise Fatal(
            f"The warehouse is older than its anchors: audit event {lost.seq}, anchored at {lost.at}, is not in it. "
            "Nothing was published. A backup was restored, or the newest events were deleted: see "
            "docs/runbooks/restore.md. If it was a restore, say so with: bin/onefold audit restored"
        )


def record_restore(conn: psycopg.Connection, path: Path, who: str) -> Restore:
    """Append the event that says so, as the superuser; keep the old anchor file and begin a new one.

    Raises Fatal when the warehouse is not older than its anchors.
    """
    lost = lost_since_anchored(conn, path)
    if lost is None:
        raise Fatal(f"The warehouse goes on from its newest anchor ({path}): nothing is lost, and nothing was written.")
    kept = _newest_kept(conn, path)
    facts: dict[str, Scalar] = {
        "kept_seq": kept,
        "anchored_seq": lost.seq,
        "anchored_hash": lost.hash,
        "anchors_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    with conn.transaction():
        seq = append_as_owner(conn, AuditEvent(who, ACTION, "audit:chain", payload=facts))
    path.replace(path.with_name(f"{path.stem}.given-up-{lost.seq}-{seq}{path.suffix}"))
    path.with_name("tree.json").unlink(missing_ok=True)
    anchor(conn, path)
    return Restore(seq, kept, lost.seq)


def restores_of(entries: Iterable[Entry]) -> list[Restore]:
    """The restores that the chain tells of."""
    told = ((entry.seq, entry.payload) for entry in entries if entry.action == ACTION)
    return [Restore(seq, int(str(facts["kept_seq"])), int(str(facts["anchored_seq"]))) for seq, facts in told]


def without_given_up(
    found: Iterable[Anchor], restores: Sequence[Restore], has: Callable[[int], str | None]
) -> tuple[list[Anchor], int]:
    """The anchors, by sequence, of which the chain must have each; and how many are left out, because a restore gave
    their events up. `has` gives the hash of the chain's event of that number."""
    left, given_up = [], 0
    for each in found:
        if has(each.seq) != each.hash and any(restore.gave_up(each.seq) for restore in restores):
            given_up += 1
        else:
            left.append(each)
    return sorted(left, key=lambda each: each.seq), given_up


def _newest_kept(conn: psycopg.Connection, path: Path) -> int:
    """The newest anchored event that the chain still has; 0 when it has none of them."""
    newest = 0
    for batch in _batches(anchors(path)):
        hashes: dict[int, str] = dict(conn.execute(_HASHES, ([each.seq for each in batch],)).fetchall())
        newest = max([newest, *(each.seq for each in batch if hashes.get(each.seq) == each.hash)])
    return newest


def _batches(found: Iterator[Anchor]) -> Iterator[list[Anchor]]:
    batch: list[Anchor] = []
    for each in found:
        batch.append(each)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch
