"""How the audit chain stands: its newest event, its newest checkpoint, and whether the two agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg

from onefold.audit import signing_key
from onefold.audit.anchor import Anchor
from onefold.audit.checkpoint import read_checkpoint

_HEAD = "select seq, at, encode(hash, 'hex') from audit.event order by seq desc limit 1"
_HASH = "select encode(hash, 'hex') from audit.event where seq = %s"


@dataclass(frozen=True, slots=True)
class ChainState:
    """`events` are all there are; `head_hash` is that of the newest. `anchored_seq` is the event that the newest anchor
    is of; None: there is no anchor. `agrees`: the chain has that event with that hash. `signed`: the anchor is a
    checkpoint with a signature of this installation's key."""

    events: int
    head_at: datetime | None
    head_hash: str
    anchored_seq: int | None
    anchored_at: datetime | None
    agrees: bool
    signed: bool

    @property
    def not_anchored(self) -> int:
        """How many of the newest events no anchor holds yet."""
        return max(self.events - (self.anchored_seq or 0), 0)


def chain_state(connection: psycopg.Connection, last: Anchor | None, anchor_file: Path) -> ChainState:
    """The state as the connection sees it. `last` is the newest anchor of the file, read before the transaction began:
    a later one may be of an event that it does not see."""
    head = connection.execute(_HEAD).fetchone()
    seq, at, head_hash = head or (0, None, "")
    if last is None:
        return ChainState(seq, at, head_hash, None, None, agrees=False, signed=False)
    found = connection.execute(_HASH, (last.seq,)).fetchone()
    return ChainState(
        *(seq, at, head_hash, last.seq, datetime.fromisoformat(last.at)),
        agrees=found is not None and found[0] == last.hash,
        signed=_is_signed(last.checkpoint, anchor_file),
    )


def _is_signed(note: str, anchor_file: Path) -> bool:
    public = signing_key.public_file(anchor_file.parent)
    if not note or not public.exists():
        return False
    signed = read_checkpoint(note)
    return any(signed.signed_by(key) for key in signing_key.read_verifiers(public))
