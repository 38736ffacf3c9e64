"""The audit trail: an append-only chain of events, verifiable offline.

append() adds one event inside the caller's transaction; anchor() writes the chain's head to a file outside
the database after the commit; verify() names the first bad event of a chain, wherever it was read from.
"""

from onefold.audit.actor import actor
from onefold.audit.anchor import Anchor, anchor, anchors
from onefold.audit.chain import GENESIS, Entry, canonical, digest
from onefold.audit.event import AuditEvent
from onefold.audit.personal import commitment, redact
from onefold.audit.store import append, entries_from_database, entries_from_file
from onefold.audit.verify import Fault, Verdict, verify

__all__ = [
    "GENESIS",
    "Anchor",
    "AuditEvent",
    "Entry",
    "Fault",
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
    "redact",
    "verify",
]
