"""A checkpoint: which log, how many events, and the root over them, signed (https://c2sp.org/tlog-checkpoint)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from onefold.audit import signed_note
from onefold.audit.merkle import HASH_BYTES
from onefold.audit.signed_note import Note, Signer, Verifier
from onefold.errors import Fatal

_SIZE = re.compile(r"0|[1-9]\d{0,18}", re.ASCII)


@dataclass(frozen=True)
class Checkpoint:
    """The head of the Merkle tree of one audit log: after `size` events its root is `root` (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed(self, signers: Sequence[Signer]) -> str:
        """The checkpoint as a signed note."""
        return signed_note.sign(self.text, signers)


@dataclass(frozen=True)
class SignedCheckpoint:
    """A checkpoint and the note that carried it; who signed it is not checked yet."""

    checkpoint: Checkpoint
    note: Note

    def signed_by(self, verifier: Verifier) -> bool:
        """Whether this key signed it, as the log that it names."""
        return verifier.name == self.checkpoint.origin and self.note.signed_by(verifier)


def read_checkpoint(text: str) -> SignedCheckpoint:
    """The checkpoint that a signed note carries. Raises Fatal when it carries none; extension lines are ignored."""
    note = signed_note.read_note(text)
    origin, size, root, *more = [*note.text.splitlines(), "", ""]
    try:
        decoded = base64.b64decode(root, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not origin or not _SIZE.fullmatch(size) or len(decoded) != HASH_BYTES or "" in more[:-2]:
        raise Fatal("This note is no checkpoint: an origin, a number of events and a root in base64, a line each.")
    return SignedCheckpoint(Checkpoint(origin, int(size), decoded), note)
