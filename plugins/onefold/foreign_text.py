"""What may be written down of a text of the other side: never the text itself.

An error's text may quote a record: the name, address or number that was found unfit. What looks personal can be masked,
but a name looks like any word. So a text is described by its size, by a hash to compare it by, and by those of its
words that were known before it came (error codes, names of our own catalogue).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Container
from functools import cache
from urllib.parse import unquote

SHOWN_WORDS = 6
_WORD = re.compile(r"[^\W\d_][\w.:/-]*")
_LOOKED_AT = 64 * 1024
_HASH_DIGITS = 12

_NAME = re.compile(r"[@$]?[A-Za-z_][A-Za-z0-9_$]*(?:[./:-][A-Za-z_][A-Za-z0-9_$]*){0,3}")
_LONGEST_NAME = 60
_LONG_NUMBER = re.compile(r"(?<!\w)(?!0\d{9}(?!\w))\d{9,}(?!\w)")
"""Of nine digits or more; not a number of the court register (KRS), ten digits of which the first is 0."""
_MANY_DIGITS = re.compile(r"\d{5}")


def described(text: str | bytes, known: Container[str] = frozenset()) -> str:
    """Of a foreign text its known words (the first SHOWN_WORDS), its size and its hash: "INVALID_FIELD; 312 bytes,
    hash 1f2e3d4c5b6a". "" of an empty text, for there is nothing to tell.

    `known` are words that no record can have put there; they are compared letter for letter.
    """
    content = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if not content.strip():
        return ""
    words = (word.rstrip(".:/-") for word in _WORD.findall(content[:_LOOKED_AT].decode(errors="replace")))
    shown = list(dict.fromkeys(word for word in words if word in known))[:SHOWN_WORDS]
    size = f"{len(content):,} byte{'' if len(content) == 1 else 's'}, hash {text_hash(content)}"
    return f"{', '.join(shown)}; {size}" if shown else size


def text_hash(content: bytes) -> str:
    """12 hex digits by which two texts of one installation can be compared.

    It is keyed by the installation's salt (ONEFOLD_AUDIT_SALT; else by one of this process): the plain hash of a text
    that is a PESEL and no more is found by trying them all.
    """
    return hmac.new(_key(), content, hashlib.sha256).hexdigest()[:_HASH_DIGITS]


def shown_name(name: str) -> str:
    """The name of a field, header or key that the source gave, where it looks like one; else its length and hash.

    A source may use values as names: an object by e-mail address, a file whose first line is no header. A name is
    letters of A to Z, digits and underscores, with few digits in a row, and of at most 60 characters.
    """
    if len(name) <= _LONGEST_NAME and _NAME.fullmatch(name) and not _MANY_DIGITS.search(name):
        return name
    return f"(a name of {len(name)} characters, hash {text_hash(name.encode(errors='surrogatepass'))})"


def shown_path(path: str) -> str:
    """The path of an address, in which a part that holds an address or a long number is its hash: a source may name
    people in its links."""
    return "/".join(_shown_part(part) for part in path.split("/"))


def _shown_part(part: str) -> str:
    text = unquote(part)
    return f"~{text_hash(text.encode(errors='surrogatepass'))}" if "@" in text or _LONG_NUMBER.search(text) else part


@cache
def _key() -> bytes:
    return os.environ.get("ONEFOLD_AUDIT_SALT", "").encode() or os.urandom(32)
