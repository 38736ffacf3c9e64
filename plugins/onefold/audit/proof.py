"""Proofs that fit in a mail: one event is in the log, or a later log begins with an earlier one.

The first is written as https://c2sp.org/tlog-proof (the event itself rides along as extra data), the second as the
request of https://c2sp.org/tlog-witness: "old <size>", the hashes, an empty line, the newer checkpoint.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

import msgspec
import psycopg
from psycopg.rows import tuple_row

from onefold.audit import merkle
from onefold.audit.chain import Entry, canonical, digest
from onefold.audit.checkpoint import SignedCheckpoint, read_checkpoint
from onefold.errors import Fatal

_INCLUSION = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True)
class Proof:
    """A proof as it was read, with the checkpoint that it leads to; nothing of it is checked."""

    entry: Entry | None
    """The event of an inclusion proof; None in a consistency proof."""
    old_size: int
    hashes: Sequence[bytes]
    checkpoint: SignedCheckpoint


def hashes_from_database(conn: psycopg.Connection, size: int) -> Generator[bytes]:
    """The hashes of the first `size` events, streamed; who reads them not to their end closes it before the session."""
    with conn.transaction(), conn.cursor("audit_hashes", row_factory=tuple_row) as cursor:
        cursor.itersize = 20_000
        for (event_hash,) in cursor.execute("select hash from audit.event where seq <= %s order by seq", (size,)):
            yield event_hash


def inclusion_proof(entry: Entry, leaves: Iterable[bytes], checkpoint: str) -> str:
    """The proof that the event is in the log of this signed checkpoint.

    Raises Fatal when the event is not below it, or the leaves are not those of the checkpoint.
    """
    head = read_checkpoint(checkpoint).checkpoint
    if entry.seq > head.size:
        raise Fatal(
            f"Event {entry.seq} is newer than the checkpoint over {head.size} events: make a new checkpoint first."
        )
    spans = merkle.inclusion_spans(entry.seq - 1, head.size)
    hashes = _computed(spans, leaves, head.size)
    lines = [_INCLUSION, f"extra {_base64(canonical(entry))}", f"index {entry.seq - 1}", *map(_base64, hashes)]
    return "\n".join(lines) + "\n\n" + checkpoint


def consistency_proof(old: SignedCheckpoint, leaves: Iterable[bytes], checkpoint: str) -> str:
    """The proof that the log of the signed checkpoint begins with that of `old`. Raises Fatal where `old` is larger."""
    head, before = read_checkpoint(checkpoint).checkpoint, old.checkpoint
    if not 0 < before.size <= head.size:
        raise Fatal(
            f"The copied checkpoint is over {before.size} events, the newest one over {head.size}: none leads to it."
        )
    hashes = _computed(merkle.consistency_spans(before.size, head.size), leaves, head.size)
    return "\n".join([f"old {before.size}", *map(_base64, hashes)]) + "\n\n" + checkpoint


def read_proof(text: str) -> Proof:
    """A proof of either kind. Raises Fatal when it is none."""
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    try:
        if lines[0] == _INCLUSION and lines[1].startswith("extra ") and lines[2].startswith("index "):
            entry = msgspec.json.decode(_unbase64(lines[1].removeprefix("extra ")), type=Entry)
            if entry.seq != int(lines[2].removeprefix("index ")) + 1:
                raise Fatal("The event in this proof is not the one that its index names.")
            return Proof(entry, 0, [_unbase64(line) for line in lines[3:]], read_checkpoint(note))
        if lines[0].startswith("old ") and separator:
            size = int(lines[0].removeprefix("old "))
            return Proof(None, size, [_unbase64(line) for line in lines[1:]], read_checkpoint(note))
    except (ValueError, IndexError) as error:
        raise Fatal(f"This is no proof ({error}): make it again with `onefold audit prove`.") from error
    raise Fatal("This is no proof: it begins neither with 'c2sp.org/tlog-proof@v1' nor with 'old <size>'.")


def fault_of(proof: Proof, old: SignedCheckpoint | None) -> str | None:
    """Why the proof does not hold; None when it does. Who signed the checkpoints is for the caller to check.

    A consistency proof needs the old checkpoint, which whoever checks it has kept.
    """
    head = proof.checkpoint.checkpoint
    if proof.entry is not None:
        entry = proof.entry
        if entry.hash != digest(entry):
            return "the event's content is not what its hash says"
        leaf = merkle.leaf_hash(bytes.fromhex(str(entry.hash)))
        found = merkle.root_by_inclusion(entry.seq - 1, head.size, leaf, proof.hashes)
        return None if found == head.root else "the event is not in the log of this checkpoint"
    if old is None:
        raise Fatal("A proof of consistency is checked against the old checkpoint: give your copy of it by --with.")
    before = old.checkpoint
    if (before.size, before.origin) != (proof.old_size, head.origin):
        return "it begins at another checkpoint than the copied one"
    holds = merkle.is_consistent(before.size, before.root, head.size, head.root, proof.hashes)
    return None if holds else "the newer log does not begin with the older one: it was rewritten"


def _computed(spans: Sequence[merkle.Span], leaves: Iterable[bytes], size: int) -> list[bytes]:
    hashes = merkle.roots_of(spans, leaves)
    if len(hashes) != len(spans):
        raise Fatal(f"The chain has fewer than {size} events, which a checkpoint covers: run `onefold audit verify`.")
    return hashes


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Fatal("A hash in this proof is not base64.") from error
