"""Checks the newest events of a chain, from its head down: what can be done within seconds, whatever its length."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from onefold.audit.anchor import Anchor
from onefold.audit.chain import GENESIS, Entry, digest
from onefold.audit.store import newest_entries
from onefold.audit.verify import Fault


@dataclass(frozen=True, slots=True)
class NewestVerdict:
    """What was checked: the events from `first_seq` to `head_seq` (0 and 0: there are none), and the anchors of them.

    `seconds` is how long it took. A fault is the newest bad event; nothing below it was looked at.
    """

    head_seq: int
    first_seq: int
    anchors: int
    fault: Fault | None
    seconds: float

    @property
    def whole(self) -> bool:
        """Whether every event of the chain was checked."""
        return self.fault is None and self.first_seq <= 1


def verify_newest(
    connection: psycopg.Connection, anchors: Iterable[Anchor], *, events: int, seconds: float
) -> NewestVerdict:
    """Check at most so many events in about so many seconds: each one's hash, its link to the one before it, and that
    it is what its anchor says.

    Roots and signatures of checkpoints are not checked, nor copies kept elsewhere: that takes all events (verify()).
    """
    began = time.monotonic()
    anchored = {each.seq: each.hash for each in anchors}
    head = above = None
    seen, found = 0, None
    for entry in newest_entries(connection, events):
        head = head or entry
        if above is not None and above.seq != entry.seq + 1:
            found = Fault(entry.seq + 1, f"missing: event {entry.seq} is followed by {above.seq}")
            break
        if reason := _broken(entry, above, anchored.get(entry.seq)):
            found = Fault(entry.seq, reason)
            break
        seen += entry.seq in anchored
        above = entry
        if time.monotonic() - began > seconds:
            break
    head_seq = head.seq if head else 0
    if found is None and (lost := max(anchored, default=0)) > head_seq:
        found = Fault(head_seq + 1, f"missing: event {lost} was anchored, but the chain ends at {head_seq}")
    return NewestVerdict(head_seq, above.seq if above else 0, seen, found, time.monotonic() - began)


def _broken(entry: Entry, above: Entry | None, anchored: str | None) -> str | None:
    """What is wrong with an event; `above` is the one after it, and good."""
    if entry.hash != digest(entry):
        return "hash mismatch: its content is not what was hashed when it was appended"
    if above is not None and above.previous_hash != entry.hash:
        return f"link broken: event {above.seq} does not continue it as it is now"
    if entry.seq == 1 and entry.previous_hash != GENESIS:
        return "link broken: it is not the first event of a chain"
    if anchored is not None and anchored != entry.hash:
        return "it differs from what was anchored: the chain was rewritten"
    return None
