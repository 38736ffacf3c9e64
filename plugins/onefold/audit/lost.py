"""A warehouse that is older than its anchors: a backup was restored, or the newest events were deleted.

Nothing is published then, until two people have said that it was a restore (restore.py).
"""

from __future__ import annotations

from pathlib import Path

import psycopg

from onefold.audit.anchor import Anchor, last_anchor
from onefold.errors import Fatal

_HASH = "select encode(hash, 'hex') from audit.event where seq = %s"


def lost_since_anchored(conn: psycopg.Connection, path: Path) -> Anchor | None:
    """The newest anchor of the file when the chain does not have its event; None when the chain goes on from it."""
    last = last_anchor(path)
    if last is None:
        return None
    found = conn.execute(_HASH, (last.seq,)).fetchone()
    return None if found and found[0] == last.hash else last


def require_nothing_lost(conn: psycopg.Connection, path: Path) -> None:
    """Raises Fatal when the chain is older than the anchor file. Call it before what must not be committed then."""
    if lost := lost_since_anchored(conn, path):
        raise Fatal(
            f"The warehouse is older than its anchors: audit event {lost.seq}, anchored at {lost.at}, is not in it. "
            "Nothing was published. A backup was restored, or the newest events were deleted: see "
            "docs/runbooks/restore.md. If it was a restore, say so with: bin/onefold audit restored"
        )
