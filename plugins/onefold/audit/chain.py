"""The chain: what exactly is hashed, so that anyone can check it in any language.

An event's hash is SHA-256 over the UTF-8 bytes of its canonical JSON, RFC 8785 (JCS): one object, no white
space, keys sorted, strings escaped only where JSON demands it. Its keys are

    action, actor, at, from, payload, previous_hash, result, seq, subject, to

- seq: integer, 1 for the first event, then one more each time
- at: UTC with six fractional digits, "2026-01-31T23:59:59.000000Z"
- from, to: string or null; the other texts are strings
- payload: an object of strings, booleans, nulls, integers within ±(2^53 − 1) and lists of these (no
  fractions, so that no language's way of printing a float matters)
- previous_hash: the hash of the event before, 64 lower-case hex digits; 64 zeros for the first event

An exported line is the same object with "hash" added. To check one without Onefold: remove "hash", serialise
by RFC 8785, compare the SHA-256, and compare previous_hash with the hash of the line before.
"""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import UNSET, UnsetType

GENESIS = "0" * 64
"""The previous_hash of the first event."""

Scalar = str | int | bool | None
Payload = dict[str, Scalar | list[Scalar]]


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """One event as it stands in the chain. Fields are in the order of their JSON names."""

    action: str
    actor: str
    at: str
    from_: str | None
    payload: dict[str, object]  # what was found, not what is allowed: a forged value must be judged, not crash
    previous_hash: str
    result: str
    seq: int
    subject: str
    to: str | None
    hash: str | UnsetType = UNSET


_encode = msgspec.json.Encoder(order="deterministic").encode


def canonical(entry: Entry) -> bytes:
    """The entry as canonical JSON (RFC 8785), including its hash when it has one: a line of an export."""
    return _encode(entry)


def digest(entry: Entry) -> str:
    """The hash that this entry should carry: 64 hex digits over everything in it but the hash itself."""
    if entry.hash is not UNSET:
        entry = msgspec.structs.replace(entry, hash=UNSET)
    return hashlib.sha256(_encode(entry)).hexdigest()
