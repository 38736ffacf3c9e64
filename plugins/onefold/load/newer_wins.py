"""Newer wins: which of two readings of one key counts. The one place where this rule is written.

The source's clock (the cursor) decides; at equal cursors what was read later is newer. A reading without a cursor is
never older: it replaces what was there, and whatever arrives later replaces it.
"""

from __future__ import annotations

from psycopg import sql

NEWEST_FIRST = sql.SQL("_cursor desc nulls last, _extracted_at desc, _hash desc")
"""Order of the readings of one key within a load, the one that counts first; the hash makes it the same every time."""


def is_not_older(reading: str, held: str) -> sql.Composed:
    """The SQL condition that `reading` may replace `held`: both aliases of relations with _cursor, _extracted_at."""
    return sql.SQL(
        "({held}._cursor is null or {reading}._cursor is null or {reading}._cursor > {held}._cursor"
        " or ({reading}._cursor = {held}._cursor and {reading}._extracted_at >= {held}._extracted_at))"
    ).format(reading=sql.Identifier(reading), held=sql.Identifier(held))
