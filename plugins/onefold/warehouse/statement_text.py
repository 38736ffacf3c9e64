"""A statement without its values: what may be kept of a query."""

from __future__ import annotations

import hashlib
import re

LONGEST = 20_000
"""Letters that are kept of a statement; its hash is of all of it."""
_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<name>\"(?:[^\"]|\"\")*(?:\"|\Z))"
    r"|(?P<literal>(?:\b[eE]'(?:[^'\\]|\\.|'')*|(?:\b(?:[bBxXnN]|[uU]&))?'(?:[^']|'')*)(?:'|\Z)"
    r"|\$(?P<tag>[A-Za-z_]\w*|)\$.*?(?:\$(?P=tag)\$|\Z)"
    r"|(?<![\w\"$])(?:0[xXoObB][0-9A-Fa-f_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d+)?|\.\d[\d_]*(?:[eE][+-]?\d+)?))"
    r"|(?P<space>\s+)",
    re.DOTALL,
)
_PLAIN_NAME = re.compile(r'"[A-Za-z_][A-Za-z0-9_$]{0,62}"')


def without_values(statement: str) -> str:
    """The statement with ? for each literal, without comments, in one line. A quoted name that is no plain word is
    replaced by "?": anything can be a name. Where a literal or comment has no end, all that follows is taken for it."""

    def replaced(found: re.Match[str]) -> str:
        if found["comment"] is not None or found["space"] is not None:
            return " "
        if found["name"] is not None:
            return found[0] if _PLAIN_NAME.fullmatch(found[0]) else '"?"'
        return "?"

    return re.sub(r" +", " ", _TOKEN.sub(replaced, statement)).strip(" ;")


def without_comments(statement: str) -> str:
    """The statement with a space for each comment."""
    return _TOKEN.sub(lambda found: " " if found["comment"] is not None else found[0], statement)


def statement_hash(text: str) -> bytes:
    """SHA-256 of a statement without values: the same question with other values has the same hash."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
