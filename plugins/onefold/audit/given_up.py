"""What restores have given up, as the chain itself proves it: a copied checkpoint over such events contradicts nothing.

An event `audit.restored` counts when another person has approved exactly what it says, in the chain before it. A
checkpoint is given up when it is the head that the event names, or stands in a file of anchors whose SHA-256 the event
has, above what was kept. Any other one over events of these numbers is of a chain that was rewritten.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from onefold.audit.anchor import Anchor, anchors
from onefold.audit.chain import Entry, Payload
from onefold.audit.checkpoint import Checkpoint, read_checkpoint
from onefold.audit.content import content_hash

ACTION = "audit.restored"
DECISIONS = ("approval.approve", "approval.refuse", "approval.withdraw")
ACTIONS = (ACTION, "approval.request", *DECISIONS)
"""The actions of the events that say what was given up, and who approved it."""
_FACTS = ("kept_seq", "anchored_seq", "anchored_hash", "given_up_root", "anchors_sha256")


@dataclass(frozen=True, slots=True)
class Restore:
    """A restore as the chain tells it: who said it and who approved, the newest event that was kept, the head that was
    given up, and the files of anchors that were, by SHA-256."""

    seq: int
    said_by: str
    approved_by: str
    kept_seq: int
    anchored_seq: int
    anchored_hash: str
    root: str | None
    files: tuple[str, ...]

    @property
    def text(self) -> str:
        """The restore in words."""
        return f"the restore recorded as event {self.seq}, said by {self.said_by}, approved by {self.approved_by}"


def facts_of(kept: int, anchored: int, anchored_hash: str, root: str | None, files: Sequence[str]) -> Payload:
    """What an event says was given up; exactly this is approved. `root` and `files` in hex."""
    return dict(zip(_FACTS, (kept, anchored, anchored_hash, root, list(files)), strict=True))


def subject_of(anchored_seq: int) -> str:
    """What the approval is about."""
    return f"restore:{anchored_seq}"


def given_up_files(path: Path) -> list[Path]:
    """The files of anchors that restores have put aside, beside the one at `path`."""
    return sorted(path.parent.glob(f"{path.stem}.given-up-*{path.suffix}"))


@dataclass
class RestoresTold:
    """Reads a chain from its beginning and collects the restores that it tells of."""

    found: list[Restore] = field(default_factory=list)
    _asked: dict[str, list[Entry]] = field(default_factory=dict)
    _decided: dict[str, Entry] = field(default_factory=dict)

    def add(self, entry: Entry) -> str | None:
        """Take the next event; why it cannot be believed, None when there is nothing to say against it."""
        if entry.subject.startswith("restore:"):
            if entry.action == "approval.request":
                self._asked.setdefault(entry.subject, []).append(entry)
            elif entry.action in DECISIONS:
                self._decided[entry.subject] = entry
        if entry.action != ACTION:
            return None
        said: Mapping[str, object] = entry.payload
        number = said.get("anchored_seq")
        asked = self._asked.get(f"restore:{number}", [])
        decided = self._decided.get(f"restore:{number}")
        if not asked or decided is None or decided.action != DECISIONS[0] or decided.seq < asked[-1].seq:
            return "it says that a backup was restored, and nobody has approved it: what it gives up may be rewritten"
        same = {entry.actor.lower(), *(str(each.payload.get("requested_by")).lower() for each in asked)}
        if decided.actor.lower() in same:
            return f"it says that a backup was restored, and only {decided.actor}, who said so, has approved it"
        facts = {name: said.get(name) for name in _FACTS}
        if {decided.payload.get("content_sha256"), asked[-1].payload.get("content_sha256")} != {content_hash(facts)}:
            return f"it gives up something else than {decided.actor} approved in event {decided.seq}"
        kept, files, root = said.get("kept_seq"), said.get("anchors_sha256"), said.get("given_up_root")
        if not isinstance(kept, int) or not isinstance(number, int) or not isinstance(files, list):
            return "it does not say which events were given up"
        self.found.append(
            Restore(
                seq=entry.seq,
                said_by=entry.actor,
                approved_by=decided.actor,
                kept_seq=kept,
                anchored_seq=number,
                anchored_hash=str(said.get("anchored_hash")),
                root=None if root is None else str(root),
                files=tuple(map(str, files)),
            )
        )
        return None


def restores_of(entries: Iterable[Entry]) -> list[Restore]:
    """The restores that these events tell of and prove, in their order. Events of other actions may be left out."""
    told = RestoresTold()
    for entry in entries:
        told.add(entry)
    return told.found


@dataclass(frozen=True)
class GivenUp:
    """What restores have given up: by `_head()` of each checkpoint, by which restore."""

    heads: Mapping[str, Restore]
    kept: tuple[tuple[Path, int], ...]
    """The files of anchors that were put aside, and up to which event the chain goes on having theirs."""
    missing: tuple[Restore, ...]
    """The restores of which a file of anchors is not there."""

    def kept_anchors(self) -> Iterator[Anchor]:
        """The anchors, by sequence, that were put aside though the chain goes on having their events."""
        return heapq.merge(
            *((each for each in anchors(file) if each.seq <= kept) for file, kept in self.kept),
            key=lambda each: each.seq,
        )

    def by(self, copy: Checkpoint) -> Restore | None:
        """The restore that gave up the events of this copied checkpoint; None when none did."""
        return self.heads.get(_head(copy.size, copy.root.hex()))

    def by_anchor(self, copy: Anchor) -> Restore | None:
        """The restore that gave up the event of this copied anchor; None when none did."""
        found = self.heads.get(_head(copy.seq, copy.hash))
        if found is None or not copy.checkpoint:
            return found
        return self.by(read_checkpoint(copy.checkpoint).checkpoint)


def what_was_given_up(path: Path, restores: Sequence[Restore]) -> GivenUp:
    """What the restores have given up, by the files of anchors beside the one at `path`."""
    there = {hashlib.sha256(file.read_bytes()).hexdigest(): file for file in given_up_files(path)} if restores else {}
    heads: dict[str, Restore] = {}
    kept: dict[Path, int] = {}
    for restore in restores:
        heads[_head(restore.anchored_seq, restore.anchored_hash)] = restore
        if restore.root:
            heads[_head(restore.anchored_seq, restore.root)] = restore
        for file in (there[digest] for digest in restore.files if digest in there and there[digest] not in kept):
            kept[file] = restore.kept_seq
            for each in anchors(file):
                if each.seq > restore.kept_seq:
                    heads[_head(each.seq, each.hash)] = restore
                    if each.checkpoint:
                        heads[_head(each.seq, read_checkpoint(each.checkpoint).checkpoint.root.hex())] = restore
    missing = tuple(restore for restore in restores if not there.keys() >= set(restore.files))
    return GivenUp(heads, tuple(kept.items()), missing)


def _head(size: int, digest: str) -> str:
    return f"{size}:{digest}"
