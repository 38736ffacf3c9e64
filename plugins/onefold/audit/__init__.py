"""The audit trail: an append-only chain of events, verifiable offline.

append() adds one event inside the caller's transaction; anchor() writes a signed checkpoint of the chain to a file
outside the database after the commit; verify() names the first bad event of a chain, wherever it was read from.
"""

from onefold.audit.actor import actor
from onefold.audit.anchor import Anchor, anchors, last_anchor
from onefold.audit.anchoring import anchor
from onefold.audit.chain import GENESIS, Entry, canonical, digest
from onefold.audit.checkpoint import Checkpoint, SignedCheckpoint, read_checkpoint
from onefold.audit.event import AuditEvent
from onefold.audit.personal import commitment, redact
from onefold.audit.store import append, entries_from_database, entries_from_file
from onefold.audit.trust import Trust
from onefold.audit.verify import Fault, Verdict, verify

__all__ = [
    "GENESIS",
    "Anchor",
    "AuditEvent",
    "Checkpoint",
    "Entry",
    "Fault",
    "SignedCheckpoint",
    "Trust",
    "Verdict",
    "actor",
    "anchor",
    "anchors",
    "append",
    "canonical",
    "commitment",
    "digest",
    "entries_from_database",
    "entries_from_file",
    "last_anchor",
    "read_checkpoint",
    "redact",
    "verify",
]
