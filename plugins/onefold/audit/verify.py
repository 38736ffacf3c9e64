"""Walks a chain and names the first event that is not what it should be."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from onefold.audit.anchor import Anchor
from onefold.audit.chain import GENESIS, Entry, digest
from onefold.audit.checkpoint import SignedCheckpoint, read_checkpoint
from onefold.audit.given_up import RestoresTold
from onefold.audit.merkle import Tree
from onefold.audit.trust import Trust
from onefold.errors import Fatal


@dataclass(frozen=True)
class Fault:
    """The first bad event: its sequence number and what is wrong with it."""

    seq: int
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What a check found: how many events, anchors and copied checkpoints were good, the last good head, and the first
    fault, if any.
    """

    events: int
    anchors: int
    head_seq: int
    head_hash: str
    fault: Fault | None
    signed: int = 0
    """How many of the anchors are checkpoints with a root."""
    copies: int = 0
    covered: int = 0
    """The newest event that an anchor or a copy commits to; those after it are held by the chain alone."""

    @property
    def ok(self) -> bool:
        return self.fault is None


def verify(
    events: Iterable[Entry],
    anchors: Iterable[Anchor] = (),
    *,
    elsewhere: Sequence[Iterable[Anchor]] = (),
    copies: Sequence[SignedCheckpoint] = (),
    trust: Trust | None = None,
    must_list_copies: bool = False,
) -> Verdict:
    """Check every link from the first event on, every anchor, and every copied checkpoint.

    An anchor's head must still be in the chain, and its checkpoint's root must be that of the events; those of anchors
    that are kept `elsewhere`, and a copy's root, likewise. `trust` checks who signed. With `must_list_copies`, a copy
    must also be among the anchors: it was made from them. An event that says that a backup was restored must have been
    approved (given_up.py).

    Streams events and anchors (these by ascending sequence, as their file holds them): memory stays flat. Stops at
    the first fault. The chain alone shows a changed, missing or inserted event; only anchors show that
    the newest events were deleted or that the whole chain was rewritten, and only a copy from elsewhere shows that
    chain and anchors were rewritten together.
    """
    sorted_copies = sorted(copies, key=lambda copy: copy.checkpoint.size)
    expected = _Expected(_merged(anchors, elsewhere), sorted_copies, trust, must_list_copies)
    head_seq, head_hash, tree, restores = 0, GENESIS, Tree(), RestoresTold()
    fault = expected.fault_at_start()
    if fault is None:
        for entry in events:
            if reason := _broken(entry, head_seq, head_hash):
                # After a gap, the missing event is the bad one, not the one that shows it.
                fault = Fault(min(entry.seq, head_seq + 1), reason)
                break
            if expected.any:
                tree.add(bytes.fromhex(str(entry.hash)))
            if fault := expected.fault_at(entry, tree):
                break
            if reason := restores.add(entry):
                fault = Fault(entry.seq, reason)
                break
            head_seq, head_hash = entry.seq, str(entry.hash)
        else:
            fault = expected.fault_at_end(head_seq)
    return Verdict(
        events=head_seq,
        anchors=expected.anchors,
        head_seq=head_seq,
        head_hash=head_hash,
        fault=fault,
        signed=expected.signed,
        copies=expected.copies,
        covered=expected.covered,
    )


def _merged(anchors: Iterable[Anchor], elsewhere: Sequence[Iterable[Anchor]]) -> Iterator[tuple[bool, Anchor]]:
    """All anchors by sequence, and whether each is ours. The others are opened first: ours then has what they have."""
    others = [((False, each) for each in stream) for stream in elsewhere]
    return heapq.merge(*others, ((True, each) for each in anchors), key=lambda pair: pair[1].seq)


class _Expected:
    """What anchors and copies say of the events, compared with each event as it comes."""

    def __init__(
        self,
        anchors: Iterator[tuple[bool, Anchor]],
        copies: Sequence[SignedCheckpoint],
        trust: Trust | None,
        must_list: bool,
    ) -> None:
        self._remaining = anchors
        self._due = next(
            anchors, None
        )  # before the first event is read: the chain may grow, and be anchored, meanwhile
        self._copies = list(copies)
        self._trust = trust
        self._must_list = must_list
        self.any = self._due is not None or bool(copies)
        self.anchors = self.signed = self.copies = self.covered = 0

    def fault_at_start(self) -> Fault | None:
        """A copy that this installation never signed."""
        for copy in self._copies:
            if self._trust is not None and not self._trust.knows(copy):
                return Fault(
                    copy.checkpoint.size, "its copied checkpoint is not signed by any key of this installation"
                )
        return None

    def fault_at(self, entry: Entry, tree: Tree) -> Fault | None:
        """What contradicts this event, or the events up to it."""
        roots: set[bytes] = set()
        while self._due is not None and self._due[1].seq <= entry.seq:
            ours, due = self._due
            if due.seq < entry.seq:
                return Fault(due.seq, f"its anchor of {due.at} is out of order: the anchor file was changed")
            if due.hash != entry.hash:
                return Fault(due.seq, f"hash differs from the one anchored at {due.at}: the chain was rewritten")
            if reason := self._refuses(due, tree):
                return Fault(due.seq, reason)
            if ours:
                self.anchors += 1
                self.signed += bool(due.checkpoint)
                roots.add(tree.root() if due.checkpoint else b"")
            else:
                self.copies += 1
            self.covered = entry.seq
            self._due = next(self._remaining, None)
        while self._copies and self._copies[0].checkpoint.size <= entry.seq:
            copied = self._copies.pop(0).checkpoint
            if copied.root != tree.root():
                return Fault(
                    entry.seq, "the events up to it differ from the copied checkpoint: the chain was rewritten"
                )
            if self._must_list and copied.root not in roots:
                return Fault(
                    entry.seq, "its copied checkpoint is not in the anchor file: the file was rewritten or begun anew"
                )
            self.copies += 1
            self.covered = entry.seq
        return None

    def fault_at_end(self, head_seq: int) -> Fault | None:
        """What is expected beyond the chain's end, and what the signatures do not prove."""
        if self._due is not None:
            missing = f"event {self._due[1].seq} was anchored at {self._due[1].at}"
            return Fault(head_seq + 1, f"missing: {missing}, but the chain ends at {head_seq}")
        if self._copies:
            missing = f"the copied checkpoint is over {self._copies[-1].checkpoint.size} events"
            return Fault(head_seq + 1, f"missing: {missing}, but the chain ends at {head_seq}")
        if self.anchors and self._trust is not None and (reason := self._trust.refuses_the_end()):
            return Fault(self.covered, reason)
        return None

    def _refuses(self, due: Anchor, tree: Tree) -> str | None:
        """Why the anchor's checkpoint does not hold, though its head does."""
        if not due.checkpoint:
            return "its anchor is unsigned though those before it are signed" if self.signed else None
        try:
            signed = read_checkpoint(due.checkpoint)
        except Fatal as error:
            return f"its checkpoint cannot be read ({error})"
        if (signed.checkpoint.size, signed.checkpoint.root) != (tree.size, tree.root()):
            return f"its checkpoint of {due.at} is not over these events: chain or checkpoint was rewritten"
        if self._trust is not None and (reason := self._trust.refuses(signed)):
            return f"its checkpoint of {due.at} is refused: {reason}"
        return None


def _broken(entry: Entry, head_seq: int, head_hash: str) -> str | None:
    if entry.seq > head_seq + 1:
        return f"missing: event {head_seq} is followed by {entry.seq}"
    if entry.seq <= head_seq:
        return f"out of order: it comes after event {head_seq}"
    if entry.hash != digest(entry):
        return "hash mismatch: its content is not what was hashed when it was appended"
    if entry.previous_hash != head_hash:
        return f"link broken: it does not continue event {head_seq} as it is now"
    return None
