"""Makes a foreign text fit for a log: short, on one line, without secrets and without what looks personal."""

from __future__ import annotations

import re
from collections.abc import Iterable

EXCERPT = 200

_EMAIL = re.compile(r"[^\s@\"'<>=,;:]+@[^\s@\"'<>,;:]+")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+\S+", re.IGNORECASE)
_DIGITS = re.compile(r"\+?\d(?:[\s.\-/]?\d){5,}")
_TOKEN = re.compile(r"(?=[\w!.+=-]*\d)[\w!.+=-]{20,}|[\w!.+=-]{40,}")


def scrubbed(text: str, secrets: Iterable[str] = ()) -> str:
    """At most 200 characters of the text: secrets, tokens, e-mail addresses and runs of six digits or more masked."""
    text = re.sub(r"\s+", " ", text[: 20 * EXCERPT]).strip()
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    for pattern, mask in ((_BEARER, r"\1 ***"), (_EMAIL, "***@***"), (_TOKEN, "***"), (_DIGITS, "######")):
        text = pattern.sub(mask, text)
    return text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"
