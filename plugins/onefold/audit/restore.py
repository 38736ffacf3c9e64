"""Two people say that a backup was restored: the chain goes on, and tells what it gave up.

One asks, another approves (approval.py); only then the superuser appends `audit.restored`. It names the head that is
given up and, by its SHA-256, each file of anchors that is: who has a copied checkpoint finds it there (given_up.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import psycopg

from onefold.audit.anchor import Anchor, anchors
from onefold.audit.anchoring import anchor
from onefold.audit.approval import Question, ask, question_of_run, require_approval
from onefold.audit.chain import Payload
from onefold.audit.checkpoint import read_checkpoint
from onefold.audit.event import AuditEvent
from onefold.audit.given_up import ACTION, facts_of, given_up_files, subject_of
from onefold.audit.lost import lost_since_anchored
from onefold.audit.owner import append_as_owner
from onefold.errors import Fatal

_DAG = "audit"
_HASHES = "select seq, encode(hash, 'hex') from audit.event where seq = any (%s)"
_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Done:
    """The event that was appended, the newest event that was kept, and the newest of those that were given up."""

    seq: int
    kept_seq: int
    anchored_seq: int


def ask_restore(conn: psycopg.Connection, path: Path, who: str) -> Question:
    """What is asked about the warehouse as it is now; asked by `who` ("airflow:anna.kowal") where nobody has yet.

    Raises Fatal when the warehouse is not older than its anchors.
    """
    lost = _lost(conn, path)
    facts = _facts(conn, path, lost)
    run_id = _run(lost, facts)
    found = question_of_run(conn, _DAG, run_id)
    if found is None:
        with conn.transaction():
            ask(conn, subject_of(lost.seq), _DAG, run_id, who, _plan(facts, lost), facts, requested_by=who)
        found = question_of_run(conn, _DAG, run_id)
    if found is None:
        raise Fatal(f"Nothing was asked about {subject_of(lost.seq)}: ops.approval does not have it.")
    return found


def record_restore(conn: psycopg.Connection, path: Path) -> Done:
    """Append the event that says so, as the superuser; keep the old anchor file and begin a new one.

    Raises Fatal when the warehouse is not older than its anchors, or nobody else has approved that this is given up.
    """
    lost = _lost(conn, path)
    facts = _facts(conn, path, lost)
    approval = require_approval(conn, subject_of(lost.seq))
    approval.require(facts)
    asked = question_of_run(conn, _DAG, _run(lost, facts))
    if asked is None or asked.requested_by is None:
        raise Fatal(f"Nobody has asked for {subject_of(lost.seq)}: run bin/onefold audit restored.")
    with conn.transaction():
        seq = append_as_owner(
            conn, AuditEvent(asked.requested_by, ACTION, "audit:chain", payload={**facts, "approval": approval.seq})
        )
    path.replace(path.with_name(f"{path.stem}.given-up-{lost.seq}-{seq}{path.suffix}"))
    path.with_name("tree.json").unlink(missing_ok=True)
    anchor(conn, path)
    return Done(seq, int(str(facts["kept_seq"])), lost.seq)


def _lost(conn: psycopg.Connection, path: Path) -> Anchor:
    lost = lost_since_anchored(conn, path)
    if lost is None:
        raise Fatal(f"The warehouse goes on from its newest anchor ({path}): nothing is lost, and nothing was written.")
    return lost


def _facts(conn: psycopg.Connection, path: Path, lost: Anchor) -> Payload:
    """What the event says, and what is approved."""
    files = [path, *given_up_files(path)]
    root = read_checkpoint(lost.checkpoint).checkpoint.root.hex() if lost.checkpoint else None
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    return facts_of(_newest_kept(conn, files), lost.seq, lost.hash, root, digests)


def _run(lost: Anchor, facts: Payload) -> str:
    """As which run it is asked: another one when something else would be given up."""
    return f"restored__{lost.seq}__after__{facts['kept_seq']}__{lost.hash[:16]}"


def _plan(facts: Payload, lost: Anchor) -> str:
    return (
        f"A backup was restored that is older than the anchors. The chain goes on after event {facts['kept_seq']}; the "
        f"events after it up to {lost.seq} ({lost.at}) are given up, and whatever was loaded, approved, rolled back or "
        f"erased in them is not in this warehouse. Newest anchor given up: {lost.hash}."
    )


def _newest_kept(conn: psycopg.Connection, files: Iterable[Path]) -> int:
    """The newest anchored event that the chain still has; 0 when it has none of them."""
    newest = 0
    for batch in _batches(_all(files)):
        hashes: dict[int, str] = dict(conn.execute(_HASHES, ([each.seq for each in batch],)).fetchall())
        newest = max([newest, *(each.seq for each in batch if hashes.get(each.seq) == each.hash)])
    return newest


def _all(files: Iterable[Path]) -> Iterator[Anchor]:
    for file in files:
        yield from anchors(file)


def _batches(found: Iterator[Anchor]) -> Iterator[list[Anchor]]:
    while batch := list(islice(found, _BATCH)):
        yield batch
