"""Keeps personal values out of audit and lineage: recognises their patterns, and replaces them by commitments."""

from __future__ import annotations

import hashlib
import hmac
import re

from onefold.errors import Fatal

_HARMLESS = (
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"  # uuid
    r"|\b[0-9a-f]{32,128}\b"  # hash, commitment
    r"|\d{4}-\d\d-\d\d(?:[T ]\d\d:?\d\d(?::?\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?"  # date, timestamp
)
_E_MAIL = r"[^\s@:/<>()\"',;]+@[^\s@/<>()\"',;]+"
# PESEL, tax, registry, phone, card and account numbers: nine digits or more, however they are grouped.
_LONG_NUMBER = r"(?<![\w])\+?(?:[A-Z]{2})?\d(?:[ \-().]{0,2}\d){8,}(?!\w)"
_SHAPES = re.compile(f"(?P<keep>{_HARMLESS})|(?P<drop>{_E_MAIL}|{_LONG_NUMBER})", re.IGNORECASE)

SALT_BYTES = 16
"""A salt shorter than this could be guessed together with the value."""


def looks_personal(text: str) -> bool:
    """True when the text holds an e-mail address or a number of nine or more digits (PESEL, NIP, phone,
    account).

    Dates, timestamps, UUIDs and hex hashes do not count. A name is a word like any other and cannot be
    seen here: that is why payloads take no free text at all (onefold.audit.event).
    """
    return any(match["drop"] for match in _SHAPES.finditer(text))


def redact(text: str) -> str:
    """The text with everything that looks_personal() would find replaced by "[removed]"."""
    return _SHAPES.sub(lambda match: match["keep"] or "[removed]", text)


def commitment(value: str, salt: bytes) -> str:
    """A replacement for a personal value: HMAC-SHA256 of its UTF-8 bytes with the salt as key, 64 hex digits.

    Whoever knows value and salt can show later that this value was meant; without the salt it cannot be
    guessed, and destroying the salt makes every commitment meaningless. Raises Fatal when the salt is
    shorter than SALT_BYTES.
    """
    if len(salt) < SALT_BYTES:
        raise Fatal(f"A commitment's salt has {len(salt)} bytes; use at least {SALT_BYTES} random ones.")
    return hmac.new(salt, value.encode(), hashlib.sha256).hexdigest()
