"""Walks a chain and names the first event that is not what it should be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from onefold.audit.anchor import Anchor
from onefold.audit.chain import GENESIS, Entry, digest


@dataclass(frozen=True)
class Fault:
    """The first bad event: its sequence number and what is wrong with it."""

    seq: int
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What a check found: how many events and anchors were good, the last good head, and the first fault,
    if any.
    """

    events: int
    anchors: int
    head_seq: int
    head_hash: str
    fault: Fault | None

    @property
    def ok(self) -> bool:
        return self.fault is None


def verify(events: Iterable[Entry], anchors: Iterable[Anchor] = ()) -> Verdict:
    """Check every link from the first event on, and that every anchored head is still in the chain.

    Streams both (anchors by ascending sequence, as their file holds them): memory stays flat. Stops at
    the first fault. The chain alone shows a changed, missing or inserted event; only anchors show that
    the newest events were deleted or that the whole chain was rewritten.
    """
    remaining = iter(anchors)
    due = next(remaining, None)  # before the first event is read: the chain may grow, and be anchored, meanwhile
    head_seq, head_hash, checked = 0, GENESIS, 0

    def verdict(fault: Fault | None) -> Verdict:
        return Verdict(events=head_seq, anchors=checked, head_seq=head_seq, head_hash=head_hash, fault=fault)

    for entry in events:
        if reason := _broken(entry, head_seq, head_hash):
            # After a gap, the missing event is the bad one, not the one that shows it.
            return verdict(Fault(min(entry.seq, head_seq + 1), reason))
        while due is not None and due.seq <= entry.seq:
            if due.seq < entry.seq:
                return verdict(Fault(due.seq, f"its anchor of {due.at} is out of order: the anchor file was changed"))
            if due.hash != entry.hash:
                return verdict(
                    Fault(due.seq, f"hash differs from the one anchored at {due.at}: the chain was rewritten")
                )
            checked += 1
            due = next(remaining, None)
        head_seq, head_hash = entry.seq, str(entry.hash)
    if due is not None:
        return verdict(
            Fault(
                head_seq + 1,
                f"missing: event {due.seq} was anchored at {due.at}, but the chain ends at {head_seq}",
            )
        )
    return verdict(None)


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
