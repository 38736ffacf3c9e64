"""Newer wins: which of two readings of one key counts. The one place where this rule is written.

The source's clock (the cursor) decides; at equal cursors what was read later is newer. A reading without a cursor is
never older: it replaces what was there, and whatever arrives later replaces it. Nor is one whose cursor is of another
kind (a time, an integer, a position in a log): the stream is read in another way since.
"""

from __future__ import annotations

from psycopg import sql

NEWEST_FIRST = sql.SQL("_cursor desc nulls last, _extracted_at desc, _hash desc")
"""Order of the readings of one key within a load, the one that counts first; the hash makes it the same every time."""


def is_not_older(reading: str, held: str) -> sql.Composed:
    """The SQL condition that `reading` may replace `held`: both aliases of relations with _cursor, _extracted_at."""
    names = {"reading": sql.Identifier(reading), "held": sql.Identifier(held)}
    other_kind = cursors_differ_in_kind(sql.Identifier(reading, "_cursor"), sql.Identifier(held, "_cursor"))
    return sql.SQL(
        "({held}._cursor is null or {reading}._cursor is null or {reading}._cursor > {held}._cursor"
        " or ({reading}._cursor = {held}._cursor and {reading}._extracted_at >= {held}._extracted_at)"
        " or {other_kind})"
    ).format(**names, other_kind=other_kind)


def cursors_differ_in_kind(one: sql.Composable, other: sql.Composable) -> sql.Composed:
    """The SQL condition that two cursors say nothing of which is newer: the first sign in them that is no digit (of a
    position that is hexadecimal) is not the same, as the - of a time."""
    kind = sql.SQL("left(translate({}, '0123456789ABCDEF', ''), 1)")
    return sql.SQL("{} <> {}").format(kind.format(one), kind.format(other))
